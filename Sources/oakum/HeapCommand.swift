import ArgumentParser
import Foundation
import HeapInspection
import HeapProfile
import OakumApp
import OakumModel

struct HeapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heap",
        abstract: "Shows what a program's memory is: by place of allocation, with types and what is never freed.",
        discussion: """
            Examples:
              oakum heap registrar -c oakum.yaml           the worker that holds most
              oakum heap registrar/3 -c oakum.yaml
              oakum heap 4711 --pprof heap.pb              for `go tool pprof` and speedscope
              oakum heap 4711 --over 30s                   what grew in half a minute
              oakum heap /run/oakum/heap/web-4711.heap     what a dead process left
              oakum heap new.heap --diff old.heap

            The program carries the sampler: `heap: {sampler: true}` in oakum.yaml, or by hand
            LD_PRELOAD=liboakumheap.so OAKUM_HEAP_FILE=/tmp/%p.heap PROGRAM. It is not stopped. Types and places are
            shown, never values.
            """)

    @OptionGroup var heap: HeapOptions
    @Option(help: "An earlier heap file to compare with.") var diff: String?
    @Option(help: "Look twice, so long apart (10s, 2min), and show what grew.") var over: String?
    @Option(help: "Write a pprof profile here.") var pprof: String?
    @Option(help: "Write folded stacks here: for flame graphs.") var folded: String?
    @Option(help: "Rows of the table, sites of the JSON.") var rows = 20
    @Flag(help: "Print JSON (docs/heap-profile.md).") var json = false

    func validate() throws {
        guard (1...10_000).contains(rows) else { throw ValidationError("--rows takes 1 to 10000") }
        guard diff == nil || over == nil else { throw ValidationError("--diff and --over exclude each other") }
        guard over == nil || seconds != nil else { throw ValidationError("--over takes a time such as 30s or 2min") }
    }

    private var seconds: Double? { over.flatMap(Clock.seconds) }

    func run() async throws {
        try await reportingFailures {
            var target = try await heap.open()
            var earlier: HeapProfile?
            if let diff {
                earlier = try Self.read(diff).capture(limits: Self.namesOnly).profile
            } else if let seconds {
                guard target.isAlive else { throw Failure(.badInput, "--over needs a living process") }
                earlier = target.capture(limits: Self.namesOnly).profile
                Terminal.note("looking again in \(over ?? "")")
                try await Task.sleep(for: .seconds(seconds))
                target = try await heap.open()
            }
            let capture = target.capture(limits: Self.largestHolders)
            let growth = earlier.map { HeapGrowth(from: $0, to: capture.profile) }
            try export(capture.profile)
            if json {
                try Terminal.json(report(capture, growth))
            } else {
                show(capture, growth)
            }
        }
    }

    /// Chains are `oakum why`'s business.
    private static var namesOnly: HeapCapture.Limits {
        var limits = HeapCapture.Limits()
        limits.sites = 0
        return limits
    }

    /// Enough to tell which of the largest places fill a cache.
    private static var largestHolders: HeapCapture.Limits {
        var limits = HeapCapture.Limits()
        limits.sites = 3
        limits.blocksPerSite = 4
        return limits
    }

    private func report(_ capture: HeapCapture, _ growth: HeapGrowth?) -> HeapReport {
        var report = HeapReport(capture.profile, growth: growth, limit: rows)
        let caches = Dictionary(
            capture.profile.sites.compactMap { site in
                capture.cache(holding: site).map { (site.fingerprint.text, $0) }
            }
        ) { first, _ in first }
        for index in report.sites.indices { report.sites[index].cache = caches[report.sites[index].fingerprint] }
        return report
    }

    private static func read(_ path: String) throws -> HeapTarget {
        do throws(HeapTarget.Problem) {
            return try HeapTarget(file: path)
        } catch {
            throw Failure(.badInput, error.description)
        }
    }

    private func export(_ profile: HeapProfile) throws {
        if let pprof { try write(profile.pprof(), to: pprof) }
        if let folded { try write(Array(profile.foldedStacks().utf8), to: folded) }
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        do {
            try Data(bytes).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw Failure(.failed, "\(path) cannot be written: \(error.localizedDescription)")
        }
        Terminal.note("wrote \(path)")
    }

    private func show(_ capture: HeapCapture, _ growth: HeapGrowth?) {
        for remark in capture.remarks { Terminal.note("note: \(remark)") }
        Terminal.line(capture.profile.table(growth: growth, rows: rows))
        for site in capture.profile.sites {
            if let cache = capture.cache(holding: site) { Terminal.line("\(site.label): \(cache.words)") }
        }
        if !capture.leaks.isEmpty { Terminal.line("\n`oakum why \(heap.target)` tells who holds what leaks.") }
    }
}
