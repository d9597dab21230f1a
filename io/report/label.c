#include "io/report/label.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* Bytes of the UTF-8 character at text, 0 if it is none. Coarse: overlong forms pass. */
static size_t character(const unsigned char *text)
{
  size_t bytes = text[0] < 0x80   ? 1
                 : text[0] < 0xc2 ? 0
                 : text[0] < 0xe0 ? 2
                 : text[0] < 0xf0 ? 3
                 : text[0] < 0xf5 ? 4
                                  : 0;
  for (size_t i = 1; i < bytes; i++)
    if ((text[i] & 0xc0) != 0x80) return 0;
  return bytes;
}

char *hs_label_clean(const char *text)
{
  char *copy = hs_alloc(strlen(text) + 1, 1, "label");
  if (copy == NULL) return NULL;
  char *to = copy;
  for (const unsigned char *from = (const unsigned char *)text; *from != '\0';) {
    size_t bytes = character(from);
    if (bytes == 0 || *from < 0x20 || *from == 0x7f) {
      *to++ = bytes == 0 ? '?' : ' ';
      from++;
    } else {
      memcpy(to, from, bytes);
      to += bytes;
      from += bytes;
    }
  }
  return copy;
}

static bool continues(char byte)
{
  return ((unsigned char)byte & 0xc0) == 0x80;
}

static int characters(const char *text, size_t bytes)
{
  int count = 0;
  for (size_t i = 0; i < bytes; i++) count += !continues(text[i]);
  return count;
}

/* Bytes of the first `count` characters. */
static size_t front(const char *text, size_t bytes, int count)
{
  size_t i = 0;
  for (; i < bytes; i++)
    if (!continues(text[i]) && count-- == 0) break;
  return i;
}

static bool separates(char byte)
{
  return strchr("/_-. =", byte) != NULL;
}

/* Bytes that all labels begin with, up to a separator: half a word or number would mislead. */
static size_t common_front(int count, const char *const *labels)
{
  size_t same = 0;
  for (size_t i = 0; labels[0][i] != '\0'; i++) {
    for (int k = 1; k < count; k++)
      if (labels[k][i] != labels[0][i]) return same;
    if (separates(labels[0][i])) same = i + 1;
  }
  return same;
}

/* The same from the end, of what stands after the first `skip` bytes. */
static size_t common_back(int count, const char *const *labels, size_t skip)
{
  size_t same = 0, length = strlen(labels[0]);
  for (size_t i = 1; i <= length - skip; i++) {
    char byte = labels[0][length - i];
    for (int k = 1; k < count; k++) {
      size_t other = strlen(labels[k]);
      if (i > other - skip || labels[k][other - i] != byte) return same;
    }
    if (separates(byte)) same = i;
  }
  return same;
}

static void append(char *text, const char *part, size_t bytes)
{
  size_t length = strlen(text); /* the text is zeroed beyond */
  memcpy(text + length, part, bytes);
}

/* label without its first and last bytes, and without its middle if that is still too long. */
static char *shorten(const char *label, size_t skip, size_t drop, int most)
{
  size_t bytes = strlen(label) - skip - drop;
  const char *core = label + skip;
  char *text = hs_alloc(strlen(label) + 3 * strlen(ELLIPSIS) + 1, 1, "label");
  if (text == NULL) return NULL;
  int room = most - (skip > 0) - (drop > 0), length = characters(core, bytes);
  if (skip > 0) append(text, ELLIPSIS, strlen(ELLIPSIS));
  if (length <= room) {
    append(text, core, bytes);
  } else {
    size_t tail = front(core, bytes, length - (room - 1) / 2);
    append(text, core, front(core, bytes, room - 1 - (room - 1) / 2));
    append(text, ELLIPSIS, strlen(ELLIPSIS));
    append(text, core + tail, bytes - tail);
  }
  if (drop > 0) append(text, ELLIPSIS, strlen(ELLIPSIS));
  return text;
}

void hs_labels_shorten(int count, const char *const *labels, int most, char **shorter)
{
  int longest = 0;
  for (int k = 0; k < count; k++) {
    int length = characters(labels[k], strlen(labels[k]));
    if (length > longest) longest = length;
  }
  size_t skip = 0, drop = 0;
  if (longest > most && count > 1) {
    skip = common_front(count, labels);
    drop = common_back(count, labels, skip);
  }
  for (int k = 0; k < count; k++) {
    /* A label that is only what all begin and end with has to show something. */
    bool empty = strlen(labels[k]) <= skip + drop;
    shorter[k] = shorten(labels[k], empty ? 0 : skip, empty ? 0 : drop, most);
  }
}
