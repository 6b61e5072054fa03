"""What leaves the clinic's computer: the printed record, the FHIR bundle, the calendar of a course.

A report is built once as a `Document` (`content`) and then written as PDF or HTML; its pictures are
one SVG for both. Texts for people come from the catalogues of `mesogun.words`.
"""
