import CacheTraces
import Foundation

/// Measures the cache: hit ratios on recorded traces, and speed beside others.
@main
struct CacheBench {
    static let usage = """
        usage: cache-bench [--traces DIR] [--sizes LIST] [--ristretto PROGRAM | --no-ristretto REASON] --output FILE
          --traces DIR          run every trace below DIR; the folder's name tells the format
          --sizes LIST          instead of each trace's own sizes: entries, or bytes for traces that tell sizes (512,64K,1G)
          --ristretto PROGRAM   what prints the figures of Ristretto
          --no-ristretto REASON why there is no such program
          --speed yes|no        whether speed is measured at all (yes)
          --output FILE         where the result goes, as JSON; the tables go to standard output
        """

    static func main() async {
        var options = Options()
        do throws(Options.Wrong) {
            options = try Options(CommandLine.arguments.dropFirst())
        } catch {
            note("error: \(error.text)\n\(usage)")
            exit(2)
        }
        var results = Results()
        if options.measuresSpeed {
            // First, while nothing else has touched the heap.
            results.held_bytes_error_percent = rounded(HeldBytesBench.run())
            var speed = SpeedBench()
            await speed.run(into: &results, ristretto: options.ristretto)
        }
        var ratios = HitRatioBench()
        if let folder = options.traces {
            ratios.run(folder: folder, sizes: options.sizes)
            results.hit_ratio = ratios.rows
        }
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .withoutEscapingSlashes, .sortedKeys]
            try encoder.encode(results).write(to: URL(fileURLWithPath: options.output))
        } catch {
            note("error: \(options.output) cannot be written: \(error)")
            exit(1)
        }
        print(results.tables)
        for problem in ratios.problems { note("error: \(problem)") }
        exit(ratios.problems.isEmpty ? 0 : 1)
    }
}

struct Options {
    struct Wrong: Error {
        var text: String
    }

    var traces: String?
    var sizes: [Int]?
    var output = ""
    var measuresSpeed = true
    var ristretto = Result<String, SpeedBench.Missing>.failure(SpeedBench.Missing(reason: "not asked for"))

    init() {}

    init(_ arguments: ArraySlice<String>) throws(Wrong) {
        var rest = arguments
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw Wrong(text: "\(name) needs a value") }
            switch name {
            case "--traces": traces = value
            case "--sizes":
                guard let sizes = TraceSizes.parse(value) else {
                    throw Wrong(text: "--sizes: expected numbers such as 512,64K,1G, found \"\(value)\"")
                }
                self.sizes = sizes
            case "--ristretto": ristretto = .success(value)
            case "--no-ristretto": ristretto = .failure(SpeedBench.Missing(reason: value))
            case "--speed": measuresSpeed = value != "no"
            case "--output": output = value
            default: throw Wrong(text: "there is no option \(name)")
            }
        }
        guard !output.isEmpty else { throw Wrong(text: "--output is missing") }
    }
}
