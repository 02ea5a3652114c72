#include "CJPEG.h"
#include "Failure.h"

#include <stdlib.h>
#include <string.h>

// What changes between setjmp and longjmp lives here: locals would be lost.
typedef struct {
  struct jpeg_compress_struct info;
  cj_failure failure;
  unsigned char *bytes;
  unsigned long count;
  uint8_t *segment;
} encoder;

static int encode(encoder *encoder, const uint8_t *pixels, int width, int height, int channels, cj_encoding encoding) {
  j_compress_ptr info = &encoder->info;
  info->err = cj_use(&encoder->failure);
  if (setjmp(encoder->failure.place)) return -1;
  jpeg_create_compress(info);
  jpeg_mem_dest(info, &encoder->bytes, &encoder->count);
  info->image_width = (JDIMENSION)width;
  info->image_height = (JDIMENSION)height;
  info->input_components = channels;
  info->in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(info);
  jpeg_set_quality(info, encoding.quality, TRUE);
  if (channels == 3) {
    info->comp_info[0].h_samp_factor = encoding.horizontal;
    info->comp_info[0].v_samp_factor = encoding.vertical;
  }
  if (encoding.progressive) jpeg_simple_progression(info);
  jpeg_start_compress(info, TRUE);
  if (encoding.exif) {
    encoder->segment = malloc(encoding.exif_count + 6);
    if (!encoder->segment) return -1;
    memcpy(encoder->segment, "Exif\0", 6);
    memcpy(encoder->segment + 6, encoding.exif, encoding.exif_count);
    jpeg_write_marker(info, JPEG_APP0 + 1, encoder->segment, (unsigned)encoding.exif_count + 6);
  }
  while (info->next_scanline < info->image_height) {
    JSAMPROW row = (JSAMPROW)(pixels + (size_t)info->next_scanline * (size_t)width * (size_t)channels);
    jpeg_write_scanlines(info, &row, 1);
  }
  jpeg_finish_compress(info);
  return 0;
}

uint8_t *cj_encode(
    const uint8_t *pixels, int width, int height, int channels, cj_encoding encoding, size_t *count) {
  encoder *state = calloc(1, sizeof *state);
  if (!state) return NULL;
  int failed = encode(state, pixels, width, height, channels, encoding);
  jpeg_destroy_compress(&state->info);
  unsigned char *bytes = state->bytes;
  *count = state->count;
  free(state->segment);
  free(state);
  if (failed) {
    free(bytes);
    return NULL;
  }
  return bytes;
}
