#include "CJPEG.h"
#include "Failure.h"

#include <stdlib.h>
#include <string.h>

// More scans than any real progressive file has: such files are made to keep a decoder busy.
enum { most_scans = 500 };

// Columns and rows that are decoded around a part and thrown away: chrominance is interpolated from neighbouring samples, and at
// the edge of what is decoded there are none.
enum { margin = 2 };

struct cj_decoder {
  struct jpeg_decompress_struct info;
  cj_failure failure;
  struct jpeg_progress_mgr progress;
  JSAMPLE *row;
  const uint8_t *bytes;
  size_t count;
};

static void watch(j_common_ptr common) {
  j_decompress_ptr info = (j_decompress_ptr)common;
  if (info->input_scan_number <= most_scans) return;
  cj_failure *failure = (cj_failure *)common->err;
  snprintf(failure->message, sizeof failure->message, "more than %d progressive scans", most_scans);
  longjmp(failure->place, 1);
}

static void find_metadata(j_decompress_ptr info, cj_header *header) {
  static const uint8_t word[6] = {'E', 'x', 'i', 'f', 0, 0};
  static const char space[] = "http://ns.adobe.com/xap/1.0/";
  for (jpeg_saved_marker_ptr marker = info->marker_list; marker; marker = marker->next) {
    if (!header->exif && marker->data_length > sizeof word && memcmp(marker->data, word, sizeof word) == 0) {
      header->exif = marker->data + sizeof word;
      header->exif_count = marker->data_length - sizeof word;
    } else if (marker->data_length > sizeof space && memcmp(marker->data, space, sizeof space) == 0) {
      header->xmp = marker->data + sizeof space;
      header->xmp_count = marker->data_length - sizeof space;
    }
  }
}

cj_decoder *cj_open(const uint8_t *bytes, size_t count, cj_header *header, int *failed) {
  cj_decoder *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  memset(header, 0, sizeof *header);
  decoder->bytes = bytes;
  decoder->count = count;
  decoder->info.err = cj_use(&decoder->failure);
  *failed = 1;
  if (setjmp(decoder->failure.place)) return decoder;
  jpeg_create_decompress(&decoder->info);
  decoder->progress.progress_monitor = watch;
  decoder->info.progress = &decoder->progress;
  jpeg_save_markers(&decoder->info, JPEG_APP0 + 1, 0xFFFF);
  jpeg_mem_src(&decoder->info, bytes, count);
  jpeg_read_header(&decoder->info, TRUE);
  header->width = (int)decoder->info.image_width;
  header->height = (int)decoder->info.image_height;
  header->is_cmyk = decoder->info.jpeg_color_space == JCS_CMYK || decoder->info.jpeg_color_space == JCS_YCCK;
  find_metadata(&decoder->info, header);
  *failed = 0;
  return decoder;
}

void cj_close(cj_decoder *decoder) {
  free(decoder->row);
  jpeg_destroy_decompress(&decoder->info);
  free(decoder);
}

const char *cj_message(cj_decoder *decoder) { return decoder->failure.message; }

const char *cj_warning(cj_decoder *decoder) { return decoder->failure.warning; }

static int fail(cj_decoder *decoder, const char *message) {
  snprintf(decoder->failure.message, sizeof decoder->failure.message, "%s", message);
  return -1;
}

// Whether a segment of tables, as far as it lies in the file, is one that libjpeg refuses. `payload` follows the length.
static int is_broken_table(uint8_t marker, const uint8_t *payload, size_t length, size_t rest) {
  size_t at = 0;
  if (marker == 0xDD) return length != 2;
  while (at < length && at < rest) {
    const size_t left = length - at;
    const uint8_t which = payload[at];
    if (marker == 0xDB) {
      if ((which & 15) >= 4) return 1;
      const size_t size = which >> 4 ? 129 : 65;
      if (size > left) return 1;
      at += size;
    } else if (marker == 0xC4) {
      if (left < 17 || (which & ~0x10) >= 4) return 1;
      if (rest - at < 17) return 0;
      size_t symbols = 0;
      for (int bits = 1; bits <= 16; bits++) symbols += payload[at + (size_t)bits];
      if (symbols > 256 || 17 + symbols > left) return 1;
      at += 17 + symbols;
    } else {
      return 0;
    }
  }
  return 0;
}

// What is wrong behind the first scan's header, by the markers alone; NULL when they lead to the mark of the end.
//
// It is what libjpeg would find at the end of a whole decoding, and so what Pillow refuses: the same for every part that is asked for,
// also where most rows are never looked at. Whatever lies between markers, bytes that stray or samples that are missing, is let pass.
static const char *fault_behind_header(cj_decoder *decoder) {
  const size_t count = decoder->count;
  size_t at = count - decoder->info.src->bytes_in_buffer;
  int restarts = decoder->info.restart_interval > 0;
  while (at < count) {
    const uint8_t *found = memchr(decoder->bytes + at, 0xFF, count - at);
    if (!found) break;
    at = (size_t)(found - decoder->bytes);
    while (at < count && decoder->bytes[at] == 0xFF) at++;
    if (at == count) break;
    const uint8_t marker = decoder->bytes[at++];
    // A stuffed byte, a restart, or the one other marker without a length.
    if (marker == 0 || (marker >= JPEG_RST0 && marker <= JPEG_RST0 + 7) || marker == 0x01) continue;
    if (marker == JPEG_EOI) return NULL;
    // Where there are restarts, looking for the next one passes over what is no marker at all.
    if (restarts && marker < 0xC0) continue;
    // Tables, comments and what applications add; further scans where there may be some.
    const int is_scan = marker == 0xDA && jpeg_has_multiple_scans(&decoder->info);
    const int is_table = marker == 0xC4 || marker == 0xCC || (marker >= 0xDB && marker <= 0xDD);
    if (!is_scan && !is_table && !(marker >= JPEG_APP0 && marker <= JPEG_APP0 + 15) && marker != JPEG_COM) {
      return "a marker that does not belong there lies within the image";
    }
    const size_t rest = count - at;
    const size_t length = rest < 2 ? rest + 1 : (size_t)decoder->bytes[at] << 8 | decoder->bytes[at + 1];
    if (rest >= 2 && (length < 2 || (is_table && is_broken_table(marker, decoder->bytes + at + 2, length - 2, rest - 2)))) {
      return "a table that cannot be one lies within the image";
    }
    // A sample that was damaged into the begin of a segment: the end is the end all the same.
    if (length > rest) continue;
    if (marker == 0xDD && length >= 4) restarts = decoder->bytes[at + 2] || decoder->bytes[at + 3];
    at += length;
  }
  return "the file ends within the image";
}

static int min(int a, int b) { return a < b ? a : b; }
static int max(int a, int b) { return a > b ? a : b; }

// Whether libjpeg gives the same pixels for a part as for the whole. Not where chrominance has a quarter of the columns and half of
// the rows (4:1:0): seen to differ in libjpeg-turbo 2.1.
static int is_exact_in_part(j_decompress_ptr info) {
  return info->max_h_samp_factor <= 2 ? info->max_v_samp_factor <= 2 : info->max_v_samp_factor == 1;
}

int cj_decode(cj_decoder *decoder, int divisor, int channels, cj_region region, uint8_t *output) {
  j_decompress_ptr info = &decoder->info;
  if (setjmp(decoder->failure.place)) return -1;
  const char *fault = fault_behind_header(decoder);
  if (fault) return fail(decoder, fault);
  info->out_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  info->scale_num = 1;
  info->scale_denom = (unsigned)divisor;
  jpeg_start_decompress(info);
  const int width = (int)info->output_width, height = (int)info->output_height;
  if (info->output_components != channels || region.left < 0 || region.top < 0 || region.width < 1 || region.height < 1
      || region.left > width - region.width || region.top > height - region.height) {
    return fail(decoder, "the part does not lie within the image");
  }
  // libjpeg moves the left edge to a whole block, which changes where the part begins within a row.
  const int exact = is_exact_in_part(info);
  JDIMENSION left = exact ? (JDIMENSION)max(0, region.left - margin) : 0;
  JDIMENSION columns = exact ? (JDIMENSION)min(width, region.left + region.width + margin) - left : (JDIMENSION)width;
  if (columns < (JDIMENSION)width) jpeg_crop_scanline(info, &left, &columns);
  decoder->row = malloc((size_t)columns * (size_t)channels);
  if (!decoder->row) return fail(decoder, "out of memory");
  const int first = exact ? max(0, region.top - margin) : 0;
  if (first > 0) jpeg_skip_scanlines(info, (JDIMENSION)first);
  const size_t bytes = (size_t)region.width * (size_t)channels;
  const size_t offset = ((size_t)region.left - left) * (size_t)channels;
  const int last = region.top + region.height;
  while ((int)info->output_scanline < last) {
    const int row = (int)info->output_scanline;
    JSAMPROW rows[1] = {decoder->row};
    if (jpeg_read_scanlines(info, rows, 1) != 1) return fail(decoder, "the data ends within the image");
    if (row >= region.top) memcpy(output + (size_t)(row - region.top) * bytes, decoder->row + offset, bytes);
  }
  jpeg_abort_decompress(info);
  return 0;
}
