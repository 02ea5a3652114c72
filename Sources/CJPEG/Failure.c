#include "Failure.h"

#include <jerror.h>

static void leave(j_common_ptr info) {
  cj_failure *failure = (cj_failure *)info->err;
  info->err->format_message(info, failure->message);
  longjmp(failure->place, 1);
}

// Level -1 is a warning: the data is damaged, and libjpeg would go on. Stray bytes between segments and a wrong coefficient are
// let pass and noted, as Pillow does; a file that ends too early is an error, because what is missing would silently be grey.
static void message(j_common_ptr info, int level) {
  if (level >= 0) return;
  if (info->err->msg_code == JWRN_JPEG_EOF) leave(info);
  cj_failure *failure = (cj_failure *)info->err;
  if (!failure->warning[0]) info->err->format_message(info, failure->warning);
}

static void silent(j_common_ptr info) { (void)info; }

struct jpeg_error_mgr *cj_use(cj_failure *failure) {
  struct jpeg_error_mgr *base = jpeg_std_error(&failure->base);
  base->error_exit = leave;
  base->emit_message = message;
  base->output_message = silent;
  failure->message[0] = 0;
  failure->warning[0] = 0;
  return base;
}
