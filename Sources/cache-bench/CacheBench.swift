import CacheTraces
import Foundation

/// Measures the cache: hit ratios on recorded traces, and speed beside others.
@main
struct CacheBench {
    static let usage = """
        usage: cache-bench [--traces DIR] [--sizes LIST] --output FILE
          --traces DIR   run every trace below DIR; the folder's name tells the format
          --sizes LIST   instead of each trace's own sizes: entries, or bytes for traces that tell sizes (512,64K,1G)
          --output FILE  where the result goes, as JSON
        """

    static func main() {
        var options = Options()
        do throws(Options.Wrong) {
            options = try Options(CommandLine.arguments.dropFirst())
        } catch {
            note("error: \(error.text)\n\(usage)")
            exit(2)
        }
        var results = Results()
        var ratios = HitRatioBench()
        if let folder = options.traces {
            ratios.run(folder: folder, sizes: options.sizes)
            results.hit_ratio = ratios.rows
        }
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .withoutEscapingSlashes]
            try encoder.encode(results).write(to: URL(fileURLWithPath: options.output))
        } catch {
            note("error: \(options.output) cannot be written: \(error)")
            exit(1)
        }
        for problem in ratios.problems { note("error: \(problem)") }
        exit(ratios.problems.isEmpty ? 0 : 1)
    }
}

/// The result file; its names are those that readers of the benchmarks rely on.
struct Results: Codable {
    var hit_ratio: [HitRatioBench.Row] = []
}

struct Options {
    struct Wrong: Error {
        var text: String
    }

    var traces: String?
    var sizes: [Int]?
    var output = ""

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
            case "--output": output = value
            default: throw Wrong(text: "there is no option \(name)")
            }
        }
        guard !output.isEmpty else { throw Wrong(text: "--output is missing") }
    }
}
