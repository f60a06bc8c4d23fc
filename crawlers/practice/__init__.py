"""Practice publishers: a loopback site that speaks ten publishers' own formats, with invented content.

It shares no code and no field table with the spiders, so a spider that reads it reads the publisher.
"""
