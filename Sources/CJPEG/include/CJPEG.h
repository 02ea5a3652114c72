// libjpeg-turbo behind calls that Swift can make: libjpeg reports errors by longjmp, which must not cross Swift frames.
// No function keeps a pointer to the caller's bytes beyond its return, but for the decoder between open and close.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What the header of a JPEG file declares.
typedef struct {
  int width;
  int height;
  /// Whether the pixels are cyan, magenta, yellow and black.
  int is_cmyk;
  /// The content of the first APP1 segment that begins with "Exif", without that word; null when there is none.
  const uint8_t *_Nullable exif;
  size_t exif_count;
  /// The content of the last APP1 segment of XMP; null when there is none.
  const uint8_t *_Nullable xmp;
  size_t xmp_count;
} cj_header;

/// A part of an image, in pixels of the reduced image.
typedef struct {
  int left;
  int top;
  int width;
  int height;
} cj_region;

typedef struct cj_decoder cj_decoder;

/// Reads the header of a file in memory, which must stay until `cj_close`. Null when there is no memory.
/// `*failed` says whether the header cannot be read; `cj_message` says why.
cj_decoder *_Nullable cj_open(
    const uint8_t *_Nonnull bytes, size_t count, cj_header *_Nonnull header, int *_Nonnull failed);

void cj_close(cj_decoder *_Nonnull decoder);

/// Decodes a part at 1/divisor (1, 2, 4 or 8) of the size, `channels` bytes a pixel (1 grey, 3 RGB, 4 inverted CMYK as stored).
/// The same pixels as decoding everything and cutting the part out. 0 on success. Once for each decoder.
int cj_decode(
    cj_decoder *_Nonnull decoder, int divisor, int channels, cj_region region, uint8_t *_Nonnull output);

/// Why the last call failed, in libjpeg's words.
const char *_Nonnull cj_message(cj_decoder *_Nonnull decoder);

/// The first damage that the last call passed over, in libjpeg's words; empty when there was none.
const char *_Nonnull cj_warning(cj_decoder *_Nonnull decoder);

/// How to encode.
typedef struct {
  int quality;
  /// Luminance samples a chrominance sample, across and down: 2, 2 is 4:2:0.
  int horizontal;
  int vertical;
  int progressive;
  /// Written as an APP1 segment after "Exif\0\0"; null for none.
  const uint8_t *_Nullable exif;
  size_t exif_count;
} cj_encoding;

/// Encodes pixels of 1 (grey), 3 (RGB) or 4 (inverted CMYK) bytes. The result is freed with free(); null on failure.
uint8_t *_Nullable cj_encode(
    const uint8_t *_Nonnull pixels, int width, int height, int channels, cj_encoding encoding, size_t *_Nonnull count);

#ifdef __cplusplus
}
#endif
