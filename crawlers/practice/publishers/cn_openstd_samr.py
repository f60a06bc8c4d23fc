"""国家标准全文公开系统 (openstd.samr.gov.cn): the list of national standards, paged, and a page for each.

Addresses under /bzgk/gb/ are moved to /bzgk/std/. Rows name the page by a 32-digit id in showInfo('…'). A repealed
standard stays in the list as 废止; one whose day has not come is 即将实施.
"""

from __future__ import annotations

from datetime import date, timedelta
from html import escape
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from crawlers.practice.exchange import Answer, Request, moved, not_found
from crawlers.practice.world import WAITING_DAYS, Item, World

HOSTS = ("openstd.samr.gov.cn",)
SOURCE = "cn_openstd_samr"
TYPES = {1: "强标", 2: "推标", 3: "指导性技术文件"}
PAGE_SIZES = (10, 25, 50)
STATES = {"现行": "PUBLISHED", "废止": "WITHDRAWN", "即将实施": "UPCOMING"}
STATE_COLOURS = {"现行": "success", "废止": "danger", "即将实施": "warning"}
SUBJECTS = (
    ("玩具", "Toys", "97.200.50", "Y57", "全国玩具标准化技术委员会"),
    ("移动电源", "Power banks", "29.220.30", "K84", "工业和信息化部（电子）"),
    ("电动自行车", "Electric bicycles", "43.150", "Y14", "全国自行车标准化技术委员会"),
    ("家用电器", "Household electrical appliances", "97.030", "Y60", "全国家用电器标准化技术委员会"),
    ("儿童服装", "Children's clothing", "61.020", "Y76", "全国服装标准化技术委员会"),
    ("化妆品", "Cosmetics", "71.100.70", "Y42", "全国香料香精化妆品标准化技术委员会"),
    ("食品接触用塑料制品", "Plastic articles in contact with foodstuffs", "67.250", "X09", "国家卫生健康委员会"),
    ("锂离子电池", "Lithium-ion batteries", "29.220.99", "K82", "工业和信息化部（电子）"),
    ("木制家具", "Wooden furniture", "97.140", "Y81", "全国家具标准化技术委员会"),
    ("限制快递过度包装", "Restricting excessive packaging of express parcels", "55.040", "A80", "国家邮政局"),
    ("人工智能 生成内容标识", "Artificial intelligence; labelling of content", "35.020", "L70", "国家互联网信息办公室"),
    ("医用电气设备", "Medical electrical equipment", "11.040", "C30", "国家药品监督管理局"),
)  # fmt: skip
ASPECTS = (
    ("安全技术规范", "Technical specification for safety"),
    ("试验方法", "Test methods"),
    ("第1部分：通用要求", "Part 1: General requirements"),
    ("有害物质限量", "Limits of harmful substances"),
    ("标志、包装和说明书", "Marking, packaging and instructions"),
)


class Standard(NamedTuple):
    """A standard as both pages print it."""

    number: str
    identity: str
    chinese: str
    english: str
    type_name: str
    state: str
    adopts: bool
    issued: date
    in_force: date
    ccs: str
    ics: str
    committee: str
    note: str


def respond(request: Request, world: World) -> Answer:
    """Answer the list, a standard's page, or where they have moved to."""
    path = request.path
    if path.startswith("/bzgk/gb/"):
        question = urlencode(parse_qsl(request.query_string, keep_blank_values=True))
        return moved(
            f"https://{HOSTS[0]}/bzgk/std/{path.removeprefix('/bzgk/gb/')}" + (f"?{question}" if question else "")
        )
    if path in {"/bzgk/std/std_list", "/bzgk/std/std_list_type"}:
        return _html(_list(request, world))
    if path == "/bzgk/std/newGbInfo":
        index = _index_of(request.first("hcno"), world)
        return not_found() if index is None else _html(_detail(standard(world, world.item(SOURCE, index))))
    return not_found()


def standard(world: World, item: Item) -> Standard:
    """One standard on the world's night."""
    first = item.index - 5 * world.is_successor(item.index)
    dice = world.item(SOURCE, first).random()
    subject, english, ics, ccs, committee = dice.choice(SUBJECTS)
    aspect, english_aspect = dice.choice(ASPECTS)
    adopts = dice.random() < 0.25
    sheet = "（含第1号修改单）" if item.revision else ""
    replaced = f"代替 {world.key(SOURCE, first)}" if first != item.index else ""
    return Standard(
        number=item.key,
        identity=_identity(world, item.index),
        chinese=f"{subject}  {aspect}{sheet}",
        english=f"{english}--{english_aspect}",
        type_name=TYPES[world.standard_type(item.index)],
        state=_state(world, item),
        adopts=adopts,
        issued=item.published,
        in_force=_in_force(item),
        ccs=ccs,
        ics=ics,
        committee=committee,
        note="第1号修改单已发布" if item.revision else replaced,
    )


def _in_force(item: Item) -> date:
    return item.published + timedelta(days=WAITING_DAYS)


def _state(world: World, item: Item) -> str:
    if item.withdrawn or world.is_superseded(item.index):
        return "废止"
    return "即将实施" if _in_force(item) > world.day() else "现行"


def _identity(world: World, index: int) -> str:
    rest = "".join(f"{world.pick(SOURCE, index, half, 16**12):012x}" for half in ("first half", "second half"))
    return f"{world.cipher(SOURCE, index)}{rest}".upper()


def _index_of(identity: str, world: World) -> int | None:
    try:
        index = world.decipher(SOURCE, identity[:8])
    except ValueError:
        return None
    return index if index < world.total(SOURCE) and _identity(world, index) == identity.upper() else None


def _list(request: Request, world: World) -> str:
    size = request.number("pageSize", 10, most=50)
    size = size if size in PAGE_SIZES else 10
    page = max(1, request.number("page", 1, most=10**6))
    found = _found(request, world)
    pages = max(1, -(-len(found) // size))
    shown = found[(page - 1) * size : page * size]
    rows = "".join(
        _row((page - 1) * size + place, standard(world, world.item(SOURCE, index)))
        for place, index in enumerate(shown, 1)
    )
    kind = request.first("p.p1") or "0"
    return LIST.format(rows=rows, total=len(found), page=page, pages=pages, kind=escape(kind), size=size)


def _found(request: Request, world: World) -> list[int]:
    found = list(range(world.total(SOURCE)))
    if (kind := request.first("p.p1")) in {"1", "2", "3"}:
        found = [index for index in found if world.standard_type(index) == int(kind)]
    if words := request.first("p.p2").casefold():
        rows = ((index, standard(world, world.item(SOURCE, index))) for index in found)
        found = [
            index
            for index, row in rows
            if all(word in f"{row.number} {row.chinese}".casefold() for word in words.split("+"))
        ]
    if states := request.first("p.p5"):
        wanted = states.split("|")
        found = [index for index in found if STATES[_state(world, world.item(SOURCE, index))] in wanted]
    if request.first("p.p91") == "desc":
        found.reverse()
    return found


def _row(place: int, row: Standard) -> str:
    adopts = '<span class="label label-warning" style="font-size:13px;">采</span>' if row.adopts else ""
    colour = STATE_COLOURS[row.state]
    return f"""
										<tr>
											<td>{place}</td>
											<td style="text-align: left;"><a href="javascript:void(0)"
												onclick="showInfo('{row.identity}');">{row.number}</a></td>
											<td></td>
											<td>
												{adopts}
											</td>
											<td class="mytxt"
												style="text-align: left; padding: 0 8px 0 8px;"><a
												href="javascript:void(0)" style="color: gray;"
												onclick="showInfo('{row.identity}');">{escape(row.chinese)}</a></td>
											<td>
														{row.type_name}
												</td>
											<td>
													<span class="text-{colour}" style="font-size:13px;">{row.state}</span>
											</td>
											<td>{row.issued}</td>
											<td>
														{row.in_force}
											</td>
											<td><button class="btn btn-sm btn-default"
													onclick="showInfo('{row.identity}');" class="detail">查看详细</button></td>
										</tr>
"""


def _detail(row: Standard) -> str:
    adopts = '<span class="label label-warning" title="该标准采用国际标准">采</span>' if row.adopts else ""
    return DETAIL.format(row=row, adopts=adopts, colour=STATE_COLOURS[row.state], chinese=escape(row.chinese))


def _html(page: str) -> Answer:
    return Answer(
        body=page.encode("utf-8"),
        content_type="text/html;charset=UTF-8",
        headers=(("Set-Cookie", "JSESSIONID=PRACTICE; Path=/bzgk; HttpOnly"),),
        compress=True,
    )


LIST = """





<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=UTF-8">
<title>国家标准全文阅读|标准检索</title>
</head>
<body>
<ul id="type" class="nav nav-tabs" role="tablist">
	<li role="presentation" class="active"><a href="#" id="{kind}"><span>全部<span class="badge">{total}</span></span></a></li>
</ul>
<table style="width:100%"><tr><td width="80"><span style="font-weight: bold;">标准状态：</span></td></tr></table>
<div class="panel-body">
	<span><a style="color: grey;">每页显示</a>&nbsp;<select class="pageNumSelect"><option value="10">10</option>
	<option value="25">25</option><option value="50">50</option></select>&nbsp;<a
	style="color: grey;">条,共</a>&nbsp;{total}&nbsp;<a
	style="color: grey;">条标准</a> &nbsp;<a style="color: red;">{page}</a>&nbsp;/&nbsp;{pages}
	</span>
	<div class="table-responsive" style="margin-top:15px;">
							<table class="table result_list table-striped table-hover" style="min-width:768px;"
								width="100%" cellspacing="0" cellpadding="0" border="0">
								<tbody>
									<tr>
										<th width="50">序号</th>
						<th width="140"><div
							class='screenOrder '
							sortname="" sortcol="standard_no">标准号</div></th>
						<th width="80"><div
							class='screenOrder '
							sortname="" sortcol="language">语种</div></th>
						<th width="80"><div
							class='screenOrder '
							sortname="" sortcol="caibiao_status">是否采标</div></th>
						<th width="*"><div
							class='screenOrder '
							sortname="" sortcol="cn_name">标准名称</div></th>
						<th width="80"><div
							class='screenOrder '
							sortname="" sortcol="standard_type">类别</div></th>
						<th width="80"><div
							class='screenOrder '
							sortname="" sortcol="status">状态</div></th>
						<th width="90"><div
							class='screenOrder '
							sortname="" sortcol="circulation_date">发布日期</div></th>
						<th width="90"><div
							class='screenOrder '
							sortname="" sortcol="implement_date">实施日期</div></th>
										<th width="80">操作</th>
									</tr>
								</tbody>
								<tbody style="border:1px solid #ddd;border-top:2px solid #ddd;">
									{rows}
								</tbody>
							</table>
	</div>
	<div style="float: right;" id="pagenav2"></div>
</div>
<script type="text/javascript">var pageSize = "{size}";</script>
</body>
</html>
"""

DETAIL = """





<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">
<html>
<head>
<title>国家标准|{row.number}</title>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
</head>
<body>
    <div class="container">
    <div class="row">
        <div class="col-xs-12">
        <div class="bor2">
        <table width="100%" class="mk1" border="0" cellspacing="0"
            cellpadding="0">
            <tr>
                <td width="560" align="left">
                <h1 style="display: inline-block;">
                标准号：{row.number}
                {adopts}
                </h1>
                </td>
                </tr>
            </table>
        <table width="100%" class="tdlist" border="0" cellspacing="0" cellpadding="0">
					<tr>
					<td>中文标准名称：<b>{chinese}</b></td>
                    </tr>
                 <tr>
                    <td>英文标准名称：{row.english}</td>
                    </tr>
                <tr>
                <td align="left">标准状态：
                <span style="font-weight:bold;" class="text-{colour}" style="margin-right: 10px;">
                        {row.state}
                </span>
                 </td>
                </tr>
                <tr>
                    <td style="padding-top:20px;">
                        <button style="margin-right:20px" data-value="{row.identity}" class="btn fk_btn">实施信息反馈</button>
                    </td>
                </tr>
          </table>
        <div class="line"></div>
        <div clsss="row detail">
            <div class="col-xs-12 col-md-2 title">
            中国标准分类号（CCS）
            </div>
            <div class="col-xs-12 col-md-4 content">
            {row.ccs}
            </div>
            <div class="col-xs-12 col-md-2 title">
            国际标准分类号（ICS）
            </div>
            <div class="col-xs-12 col-md-4 content">
            {row.ics}
            </div>
            <div style="clear:both"></div>
        </div>
        <div clsss="row">
            <div class="col-xs-12 col-md-2 title">
            发布日期
            </div>
            <div class="col-xs-12 col-md-4 content">
            {row.issued}
            </div>
                <div class="col-xs-12 col-md-2 title">
                实施日期
                </div>
                 <div class="col-xs-12 col-md-4 content">
                {row.in_force}
                </div>
            <div style="clear:both;"></div>
        </div>
        <div clsss="row">
            <div class="col-xs-12 col-md-2 title">
            主管部门
            </div>
            <div class="col-xs-12 col-md-4 content">
            国家标准委
            </div>
            <div class="col-xs-12 col-md-2 title">
            归口部门
            </div>
            <div class="col-xs-12 col-md-4 content">
            {row.committee}
            </div>
            <div style="clear:both;"></div>
        </div>
        <div clsss="row">
            <div class="col-xs-12 col-md-2 title">
            发布单位
            </div>
            <div class="col-xs-12 col-md-10 content">
            国家市场监督管理总局、国家标准化管理委员会
            </div>
            <div style="clear:both;"></div>
        </div>
        <div clsss="row">
            <div class="col-xs-12 col-md-2 title">
            备注
            </div>
            <div class="col-xs-12 col-md-10 content">
            {row.note}
            </div>
        </div>
        <div style="clear:both;"></div>
    </div>
    </div>
    </div>
    </div>
</body>
</html>
"""
