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

// Whether the mark of the end is among the last bytes, where a whole file has it (some bytes may stray behind it).
static int has_end(const cj_decoder *decoder) {
  size_t first = decoder->count > 4096 ? decoder->count - 4096 : 0;
  for (size_t i = decoder->count; i >= first + 2; i--) {
    if (decoder->bytes[i - 2] == 0xFF && decoder->bytes[i - 1] == JPEG_EOI) return 1;
  }
  return 0;
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
  // A file that is cut off is refused whichever part is asked for; rows behind the part are decoded only to find that out.
  const int last = region.top + region.height;
  const int end = last < height && !has_end(decoder) ? height : last;
  while ((int)info->output_scanline < end) {
    const int row = (int)info->output_scanline;
    JSAMPROW rows[1] = {decoder->row};
    if (jpeg_read_scanlines(info, rows, 1) != 1) return fail(decoder, "the data ends within the image");
    if (row >= region.top && row < last) memcpy(output + (size_t)(row - region.top) * bytes, decoder->row + offset, bytes);
  }
  jpeg_abort_decompress(info);
  return 0;
}
