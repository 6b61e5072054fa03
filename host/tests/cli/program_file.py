"""The text of a program file, to be spoilt in one place."""

PAPULES = """\
schema = 1
name = "Mine"
technique = "papule"
delivery = "dry"
depth_mm = 1.5
syringe = "bd-plastipak-5"
needle = "30g-4"

[limits]
total_ul = 400

[[step]]
kind = "shots"
dose_ul = 50
inject_s = 0.5
period_s = 2
count = 8
trigger = "press"
"""
