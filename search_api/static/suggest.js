// Offers words under the search box while somebody types. Without this file the box offers its datalist.
"use strict";

for (const input of document.querySelectorAll("input[data-suggest]")) {
  const list = document.createElement("ul");
  list.id = `${input.id}-offers`;
  list.className = "offers";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.dataset.suggest);
  input.parentElement.append(list);
  input.removeAttribute("list");
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list.id]]) {
    input.setAttribute(name, value);
  }
  let chosen = -1;
  let asked = 0;
  let timer = 0;
  let typed = input.value;

  const choose = (index) => {
    const items = list.children;
    if (items[chosen]) items[chosen].setAttribute("aria-selected", "false");
    chosen = index;
    if (!items[chosen]) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    items[chosen].setAttribute("aria-selected", "true");
    items[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", items[chosen].id);
  };

  const close = () => {
    clearTimeout(timer);
    asked += 1;
    choose(-1);
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
  };

  const take = (index) => {
    input.value = `${list.children[index].dataset.text} `;
    close();
    input.focus();
  };

  const show = (offers) => {
    choose(-1);
    list.replaceChildren(...offers.map((offer, index) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${index}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.dataset.text = offer.text;
      const word = document.createElement("bdi");
      word.textContent = offer.shown;
      const kind = document.createElement("small");
      kind.textContent = offer.said;
      item.append(word, " ", kind);
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        take(index);
      });
      return item;
    }));
    list.hidden = offers.length === 0;
    input.setAttribute("aria-expanded", String(offers.length > 0));
  };

  const ask = async () => {
    const mine = ++asked;
    if (!input.value.trim()) {
      close();
      return;
    }
    try {
      const answer = await fetch(`/api/suggest?${new URLSearchParams({ q: input.value })}`);
      if (answer.ok && mine === asked) show((await answer.json()).suggestions);
    } catch {
      close(); // nothing is offered while the library does not answer
    }
  };

  input.addEventListener("input", (event) => {
    if (event.isComposing || input.value === typed) return;
    typed = input.value;
    clearTimeout(timer);
    timer = setTimeout(ask, 80);
  });
  input.addEventListener("compositionend", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 80);
  });
  input.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (list.hidden || event.isComposing || !count) return;
    if (event.key === "ArrowDown") choose((chosen + 1) % count);
    else if (event.key === "ArrowUp") choose(chosen < 0 ? count - 1 : chosen - 1);
    else if (event.key === "Enter" && chosen >= 0) take(chosen);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", close);
}
