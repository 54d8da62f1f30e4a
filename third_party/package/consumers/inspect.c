/* C11 with libmigstream-inspect: whether a stream, compressed or not, is read
 * without an error. usage: inspect STREAM */

#include <migstream_inspect.h>
#include <stdio.h>

int main(int argc, char** argv) {
  const struct migstream_error* error;
  const char* report;
  migstream_walk* walk;
  if (argc != 2 || migstream_walk_open(argv[1], NULL, &walk) != MIGSTREAM_OK) {
    return 2;
  }
  migstream_status status = migstream_walk_report(walk, &report);
  if (migstream_walk_last_error(walk, &error) == MIGSTREAM_OK &&
      error->code != 0) {
    fprintf(stderr, "%s\n", error->text);
    status = MIGSTREAM_ERROR;
  }
  if (status == MIGSTREAM_OK) puts(report);
  migstream_walk_close(walk);
  return status == MIGSTREAM_OK ? 0 : 1;
}
