import HeapInspection
import HeapProfile
import OakumModel
import OakumTestKit
import Testing

/// Leaking programs and their fixed twins, judged while they work: what leaks is named, and nothing on the twins.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct `Verdicts on programs` {
    /// A program, and what its leak must be called: the function of its site, and the type of what it leaks.
    struct Program: Sendable, CustomTestStringConvertible {
        enum Language: Sendable { case swift, c, cxx }

        var language = Language.swift
        var name: String
        var site: String
        var type: String? = "[UInt8]"
        var testDescription: String { "\(language) \(name)" }
    }

    static let programs: [Program] = [
        Program(name: "actor-dictionary", site: "Session.init"),
        Program(name: "closure-cycle", site: "Download.init"),
        Program(name: "task-group", site: "Session.init"),
        Program(name: "static-array", site: "leaks.audit("),
        Program(name: "delegate-cycle", site: "Connection.init"),
        Program(name: "continuation", site: "Session.init"),
        Program(name: "endless-task", site: "Session.init"),
        Program(name: "channel", site: "EventBus.publish"),
        Program(name: "generic-store", site: "Session.init"),
        Program(name: "linked-list", site: "Job.init"),
        Program(name: "set-of-names", site: "leaks.setOfNames", type: "String"),
        Program(name: "enum-payload", site: ".init("),
        Program(name: "observers", site: "Screen.init"),
        Program(language: .c, name: "table", site: "make_request", type: nil),
        Program(language: .c, name: "list", site: "make_request", type: nil),
        Program(language: .c, name: "lost", site: "make_request", type: nil),
        Program(language: .cxx, name: "map", site: "shop::Item::Item() (leaks.cpp:", type: nil),
        Program(language: .cxx, name: "listeners", site: "shop::Item::Item() (leaks.cpp:", type: nil),
    ]

    /// The sites of its own that are held to leak, the one that leaks most first.
    private func named(_ program: Program, leaks: Bool) async throws -> [Site] {
        let built = try await LeakPrograms.built()
        let executable =
            switch program.language {
            case .swift: built.swift
            case .c: built.c
            case .cxx: built.cxx
            }
        var limits = HeapCapture.Limits()
        limits.time = .seconds(60)
        limits.sites = 0
        let capture = try await RunningLeak.with(
            executable, program.name, leaks: leaks, sampler: built.sampler, pace: 5
        ) { running in
            let image = try HeapFile.read(running.heapFile, isAlive: true)
            return HeapCapture.capture(image, isAlive: true, heapFile: running.heapFile, limits: limits)
        }
        return capture.profile.sites.filter { $0.role == .own && $0.verdict.code == .leaks }.sorted {
            ($0.verdict.leakBytesPerSecond?.estimate ?? 0) > ($1.verdict.leakBytesPerSecond?.estimate ?? 0)
        }
    }

    /// Four at a time: they mostly wait.
    private func forEachProgram(_ body: @escaping @Sendable (Program) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (place, program) in Self.programs.enumerated() {
                if place >= 4 { try await group.next() }
                group.addTask { try await body(program) }
            }
            try await group.waitForAll()
        }
    }

    @Test func `what leaks is named, by its function and its type`() async throws {
        try await forEachProgram { program in
            let named = try await named(program, leaks: true)
            let top = try #require(named.first, "nothing is named: \(program)")
            #expect(top.label.contains(program.site), "\(program): \(named.map(\.label))")
            if let type = program.type { #expect(top.types.first?.type == type, "\(program)") }
        }
    }

    @Test func `nothing is named on the fixed twin`() async throws {
        try await forEachProgram { program in
            let named = try await named(program, leaks: false).filter { $0.live.bytes.estimate > 65_536 }
            #expect(named.isEmpty, "\(program): \(named.map { "\($0.label): \($0.verdict.reason)" })")
        }
    }
}
