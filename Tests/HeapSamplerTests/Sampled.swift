import Glibc
import OakumTestKit
import Spawning
import Testing

/// The sampler and the programs that try it, in one folder.
struct Programs {
    let folder: String

    var library: String { "\(folder)/liboakumheap.so" }

    func file(_ name: String) -> String { "\(folder)/\(name)" }

    /// Builds what is out of date: cheap when nothing is.
    static func built() async throws -> Programs {
        let folder = try buildFolder() + "/heap-sampler"
        let script = "\(sourceFolder)/Programs/build.sh"
        try await withProcess("/bin/bash", [script, folder]) { process in
            let exit = try await process.waitForExit(within: .seconds(300))
            guard exit == .code(0) else { throw TestKitError("build.sh failed:\n\(process.output())") }
        }
        return Programs(folder: folder)
    }

    private static var sourceFolder: String {
        let path = #filePath
        return String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
    }
}

/// A finished run of a program under the sampler.
struct Sampled {
    var output: String
    var exit: ChildProcess.Exit
    /// What `read_heap` says of the file it left; empty when there is none.
    var heap: [String: String] = [:]

    func number(_ name: String) throws -> Double {
        try #require(heap[name].flatMap(Double.init), "\(name) is not in \(heap)")
    }

    /// The one line of the sampler on standard error, if any.
    var warnings: [Substring] { output.split(separator: "\n").filter { $0.hasPrefix("oakum heap sampler: ") } }
}

/// How to run a program under the sampler.
struct SampledRun {
    var programs: Programs
    var environment: [String: String] = [:]
    var preload: [String] = []
    /// In the run's temporary folder.
    var file = "heap.%p"
    var limit = Duration.seconds(120)

    func run(_ program: String, _ arguments: [String] = []) async throws -> Sampled {
        try await withTemporaryFolder { folder in
            try await run(program, arguments, in: folder)
        }
    }

    func run(_ program: String, _ arguments: [String] = [], in folder: TemporaryFolder) async throws -> Sampled {
        var environment = environment
        environment["OAKUM_HEAP_FILE"] = environment["OAKUM_HEAP_FILE"] ?? folder.file(file)
        environment["LD_PRELOAD"] = ([programs.library] + preload).joined(separator: " ")
        let path = program.hasPrefix("/") ? program : programs.file(program)
        return try await withProcess(path, arguments, environment: environment) { process in
            let exit = try await process.waitForExit(within: limit)
            let heap = folder.file(file.replacing("%p", with: "\(process.pid)"))
            return Sampled(output: process.output(), exit: exit, heap: try await programs.read(heap))
        }
    }
}

extension Programs {
    /// The figures of a heap file by name; none when there is no file.
    func read(_ path: String) async throws -> [String: String] {
        guard access(path, F_OK) == 0 else { return [:] }
        return try await withProcess(file("read_heap"), [path]) { reader in
            let exit = try await reader.waitForExit()
            #expect(exit == .code(0), "\(reader.output())")
            let pairs = reader.output().split(separator: "\n").compactMap { line -> (String, String)? in
                let parts = line.split(separator: " ", maxSplits: 1)
                return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
            }
            return Dictionary(pairs) { first, _ in first }
        }
    }

    func run(_ environment: [String: String] = [:], preload: [String] = [], file: String = "heap.%p") -> SampledRun {
        SampledRun(programs: self, environment: environment, preload: preload, file: file)
    }
}

/// Small tables: the checking programs copy the whole file at each look.
let exact = ["OAKUM_HEAP_MODE": "exact", "OAKUM_HEAP_RECORDS": "16384", "OAKUM_HEAP_STACKS": "1024"]

func sampled(every mean: Int, seed: Int = 7) -> [String: String] {
    ["OAKUM_HEAP_MEAN_BYTES": "\(mean)", "OAKUM_HEAP_SEED": "\(seed)"]
}
