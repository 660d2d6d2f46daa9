import CLinux
import Glibc
import HeapInspection
import HeapProfile
import OakumModel
import OakumTestKit
import Spawning
import Synchronization

/// The programs of `Programs/`, built once for all tests of a run: optimised, with debug information beside stripped
/// copies.
struct LeakPrograms: Sendable {
    let folder: String

    var swift: String { "\(folder)/leaks" }
    var swiftStatic: String { "\(folder)/leaks-static" }
    var c: String { "\(folder)/cleaks" }
    var cxx: String { "\(folder)/cxxleaks" }
    var sampler: String { "\(folder)/liboakumheap.so" }
    /// Without symbols and debug information, in a folder of its own so that nothing lies beside it.
    func stripped(_ path: String) -> String {
        "\(folder)/stripped/\(path.split(separator: "/").last ?? "")"
    }

    static func built() async throws -> LeakPrograms {
        try await shared.value()
    }

    private static let shared = Once()

    /// The first caller builds, the others wait.
    private actor Once {
        private var building: Task<LeakPrograms, any Error>?

        func value() async throws -> LeakPrograms {
            let task = building ?? Task { try await LeakPrograms.build() }
            building = task
            return try await task.value
        }
    }

    private static func build() async throws -> LeakPrograms {
        let here = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let sources = "/\(here)/Programs"
        let root = "/" + here.split(separator: "/").dropLast(2).joined(separator: "/")
        let programs = LeakPrograms(folder: try buildFolder() + "/leak-programs")
        try await run("mkdir", ["-p", "\(programs.folder)/stripped"])
        let files = ["main", "programs", "more", "serve"].map { "\(sources)/\($0).swift" }
        let flags = ["-O", "-g", "-swift-version", "6", "-module-name", "leaks"]
        try await run("swiftc", flags + files + ["-o", programs.swift])
        try await run("swiftc", flags + ["-static-stdlib"] + files + ["-o", programs.swiftStatic])
        let cFlags = ["-O2", "-g", "-fno-omit-frame-pointer", "-Wl,--build-id"]
        try await run("clang", cFlags + ["\(sources)/leaks.c", "-o", programs.c])
        try await run("clang++", cFlags + ["\(sources)/leaks.cpp", "-o", programs.cxx])
        for path in [programs.swift, programs.swiftStatic, programs.c, programs.cxx] {
            try await run("llvm-objcopy", ["--strip-all", path, programs.stripped(path)])
        }
        try await run("\(root)/scripts/sampler", [programs.folder])
        return programs
    }

    /// Runs a tool of the toolchain to its end.
    static func run(_ tool: String, _ arguments: [String]) async throws {
        let command = tool.hasPrefix("/") ? tool : "\"$(dirname \"$(readlink -f \"$(command -v swiftc)\")\")/\(tool)\""
        let fallback = tool.hasPrefix("/") ? "" : "[ -x \(command) ] || exec \(tool) \"$@\"; "
        try await withProcess("/bin/sh", ["-c", "\(fallback)exec \(command) \"$@\"", tool] + arguments) { process in
            guard try await process.waitForExit(within: .seconds(240)) == .code(0) else {
                throw TestKitError("\(tool) \(arguments) failed:\n\(process.output())")
            }
        }
    }
}

/// A leaking program while it runs.
struct RunningLeak {
    var identity: ProcessIdentity
    var heapFile: String
    private var process: ChildProcess

    /// Waits for its end.
    func ended() async throws {
        _ = try await process.waitForExit()
    }

    /// Starts it, and waits until it has leaked what it leaks.
    /// - Parameters:
    ///   - sampler: preloaded when given, in its exact mode.
    ///   - pace: milliseconds between two rounds of its work.
    static func with<Result>(
        _ executable: String, _ name: String, leaks: Bool = true, sampler: String? = nil, pace: Int? = nil,
        _ body: (RunningLeak) async throws -> Result
    ) async throws -> Result {
        try await withTemporaryFolder { folder in
            var environment: [String: String] = [:]
            if let sampler {
                environment = [
                    "LD_PRELOAD": sampler, "OAKUM_HEAP_FILE": folder.file("heap"), "OAKUM_HEAP_MODE": "exact",
                ]
            }
            let arguments = [name, leaks ? "leak" : "fixed"] + (pace.map { ["\($0)"] } ?? [])
            return try await withProcess(executable, arguments, environment: environment) {
                let identity = ProcessIdentity(pid: $0.pid, startTicks: linux_start_ticks($0.pid))
                _ = try await $0.line(containing: "ready", within: .seconds(60))
                return try await body(RunningLeak(identity: identity, heapFile: folder.file("heap"), process: $0))
            }
        }
    }
}
