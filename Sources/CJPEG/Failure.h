#pragma once

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>

#if !defined(LIBJPEG_TURBO_VERSION_NUMBER) || LIBJPEG_TURBO_VERSION_NUMBER < 2000000
#error "libjpeg-turbo 2.0 or newer is needed (Debian and Ubuntu: libjpeg-dev)"
#endif

/// libjpeg's error manager, ending by a jump, and telling damage that a decoder may pass over from damage that it must not.
typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf place;
  char message[JMSG_LENGTH_MAX];
  /// The first damage that was passed over; empty when there was none.
  char warning[JMSG_LENGTH_MAX];
} cj_failure;

/// Fills `failure` in and returns what `jpeg_create_…` wants.
struct jpeg_error_mgr *cj_use(cj_failure *failure);
