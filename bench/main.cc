// The main() of all benchmarks. Google Benchmark's own flags apply; --once runs
// each benchmark once and shortly, to see that it works.

#include <fstream>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "benchmark/benchmark.h"

namespace {

// As Linux names it; virtual machines often hide it.
std::string Cpu() {
  std::ifstream file("/proc/cpuinfo");
  std::string family, model, line;
  while (std::getline(file, line) && !line.empty()) {
    std::string value = line.substr(line.find(':') + 1);
    if (line.rfind("model name", 0) == 0) family = value;
    if (line.rfind("model\t", 0) == 0) model = value;
  }
  return family + ", model" + model;
}

}  // namespace

int main(int argc, char** argv) {
  // A measurement repeats itself; the library need not.
  static char min_time[] = "--benchmark_min_time=0";
  static char tabular[] = "--benchmark_counters_tabular=true";
  std::vector<char*> arguments = {argv[0], min_time, tabular};
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--once") {
      migstream::SetOnce();
    } else {
      arguments.push_back(argv[i]);
    }
  }
  argc = static_cast<int>(arguments.size());
  benchmark::AddCustomContext("cpu", Cpu());
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::Initialize(&argc, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(argc, arguments.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
