#include "inspect/run_program.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr char kProgram[] = "inspect/migstream";

std::string ReadAll(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, got);
  }
  close(fd);
  return text;
}

}  // namespace

ProgramRun RunProgram(const std::vector<std::string>& words,
                      const ProgramInput& input) {
  // The program may stop reading before all is written.
  std::signal(SIGPIPE, SIG_IGN);
  int in[2] = {}, out[2] = {}, err[2] = {};
  for (int* ends : {in, out, err}) EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  std::vector<char*> argv = {const_cast<char*>(kProgram)};
  for (const std::string& word : words) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  pid_t child = fork();
  if (child == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execv(kProgram, argv.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  close(err[1]);
  ProgramRun run;
  std::thread output([&] { run.output = ReadAll(out[0]); });
  std::thread errors([&] { run.errors = ReadAll(err[0]); });
  if (input.feed) input.feed(in[1]);
  if (input.signal != 0) kill(child, input.signal);
  if (input.signal == 0) close(in[1]);
  int status = 0;
  rusage usage;
  EXPECT_EQ(wait4(child, &status, 0, &usage), child);
  if (input.signal != 0) close(in[1]);
  output.join();
  errors.join();
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  run.peak_rss_kib = usage.ru_maxrss;
  return run;
}

bool WriteAll(int fd, const void* bytes, size_t count) {
  const char* at = static_cast<const char*>(bytes);
  while (count > 0) {
    ssize_t wrote = write(fd, at, count);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    at += wrote;
    count -= wrote;
  }
  return true;
}

std::string TestFolder() {
  std::string name = testing::TempDir() + "/migstream_XXXXXX";
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  return name;
}

std::string WriteTestFile(const std::string& name, const std::string& bytes) {
  std::string path = StrCat(TestFolder(), "/", name);
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string ReadTestFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace migstream
