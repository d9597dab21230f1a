/* label.h: names of files as pictures and pages can show them. Characters are those of UTF-8. Not
 * collective. */
#ifndef HS_IO_REPORT_LABEL_H
#define HS_IO_REPORT_LABEL_H

/* A copy in which control characters are blanks and bytes that are not UTF-8 question marks. hs_free; NULL
 * when memory is short. */
char *hs_label_clean(const char *text);

/* Shorten the labels to at most `most` (at least 9) characters, if any is longer: what all of them begin
 * and end with is left out first, then the middle of what is still too long; an ellipsis takes the place
 * of either.
 *   labels   clean texts, count of them
 *   shorter  their copies (hs_free), NULL where memory was short */
void hs_labels_shorten(int count, const char *const *labels, int most, char **shorter);

#endif
