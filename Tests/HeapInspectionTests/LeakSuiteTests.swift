import HeapInspection
import HeapProfile
import OakumModel
import OakumTestKit
import Testing

/// What a leaking program must be told as.
struct Leak: Sendable, CustomTestStringConvertible {
    var name: String
    /// Of the block that is leaked.
    var type: String
    /// Texts that the chain's words must have in them, in this order; the last one is the root.
    var chain: [String]

    var testDescription: String { name }

    static let swift: [Leak] = [
        Leak(
            name: "actor-dictionary", type: "[UInt8]",
            chain: [
                "Session.body", "a value of [String: Session]", "SessionCache.entries", "static SessionCache.shared",
            ]),
        Leak(name: "closure-cycle", type: "[UInt8]", chain: ["Download.buffer", "Download.onFinish again", "no root"]),
        Leak(
            name: "task-group", type: "[UInt8]",
            // A task is a root; who keeps its handle is told only when the search has reason to go on.
            chain: [
                "Session.body", "which has finished and whose result nobody took", "the memory of an asynchronous call",
                "which waits in waitForever",
            ]),
        Leak(
            name: "static-array", type: "[UInt8]",
            chain: ["the payload of an element of [AuditLog.Entry]", "static AuditLog.entries"]),
        Leak(
            name: "delegate-cycle", type: "[UInt8]",
            chain: ["Connection.input", "Controller.connection", "Connection.strongDelegate again", "no root"]),
        Leak(
            name: "continuation", type: "[UInt8]",
            chain: ["Session.body", "the memory of an asynchronous call", "task", "which waits in waitForAnswer"]),
        Leak(
            name: "endless-task", type: "[UInt8]",
            chain: ["Session.body", "the memory of an asynchronous call", "task", "which waits in poll"]),
        Leak(
            name: "channel", type: "[UInt8]",
            chain: [
                "an element of _DequeBuffer<[UInt8]>", "AsyncStream<[UInt8]>._Storage.state", "EventBus.feed",
                "static EventBus.shared",
            ]),
        Leak(
            name: "generic-store", type: "[UInt8]",
            chain: [
                "Session.body", "the session of an element of [Upload]", "Store<Upload>.kept",
                "a value of [String: any Sink]", "static Registry.sinks",
            ]),
        Leak(name: "linked-list", type: "[UInt8]", chain: ["Job.input", "Job.next", "JobQueue.first", "shared"]),
        Leak(name: "set-of-names", type: "String", chain: ["an element of Set<String>", "namesSeen"]),
        Leak(
            name: "enum-payload", type: "[UInt8]",
            chain: ["an element of [Message]", "Mailbox.messages", "static Mailbox.main"]),
        Leak(
            name: "observers", type: "[UInt8]",
            chain: ["Screen.pixels", "an element of [() -> ()]", "Notifier.observers", "static Notifier.shared"]),
    ]

    /// The last part that a stripped binary cannot tell is replaced.
    func stripped(_ module: String) -> Leak {
        var copy = self
        copy.chain = chain.compactMap { part in
            if part.hasPrefix("which waits in ") { return nil }
            let isGlobal = part.hasPrefix("static ") || part == "servers" || part == "namesSeen" || part == "shared"
            return isGlobal ? "a global of \(module) at +0x" : part
        }
        return copy
    }

    /// Most of the examined blocks must have the chain: one that is still in use may have another.
    func check(_ chains: [HolderChain], sourceLocation: SourceLocation = #_sourceLocation) {
        let right = chains.filter { $0.type == type && Self.contains($0.words, chain) }
        #expect(
            right.count * 2 > chains.count, "\(chains.map(\.words).joined(separator: "\n"))",
            sourceLocation: sourceLocation)
    }

    static func contains(_ text: String, _ parts: [String]) -> Bool {
        var rest = Array(text.utf8)[...]
        for part in parts {
            let wanted = Array(part.utf8)
            guard let place = rest.indices.first(where: { rest[$0...].starts(with: wanted) }) else { return false }
            rest = rest[(place + wanted.count)...]
        }
        return true
    }
}

@Suite(.serialized, .timeLimit(.minutes(10)))
struct `Leaking programs` {
    private func chains(_ executable: String, _ leak: Leak) async throws -> [HolderChain] {
        try await RunningLeak.with(executable, leak.name) { running in
            let inspector = try ProcessInspector(running.identity)
            let blocks = inspector.objects(named: leak.type, limit: 200)
            // Spread over all that are there: the runtime has a few strings of its own.
            let chosen = stride(from: 0, to: blocks.count, by: max(1, blocks.count / 8)).map { blocks[$0] }
            let report = inspector.holders(
                of: chosen.map { BlockTarget(address: $0) }, deadline: .now + .seconds(30))
            #expect(report.remarks.isEmpty)
            #expect(report.chains.allSatisfy { $0.moved == 0 })
            return report.chains
        }
    }

    @Test(arguments: Leak.swift)
    func `a leak is named by type, chain and root`(_ leak: Leak) async throws {
        leak.check(try await chains(LeakPrograms.built().swift, leak))
    }

    @Test(arguments: Leak.swift)
    func `a statically linked standard library makes no difference`(_ leak: Leak) async throws {
        leak.check(try await chains(LeakPrograms.built().swiftStatic, leak))
    }

    @Test(arguments: Leak.swift)
    func `a stripped binary loses the names of globals and functions alone`(_ leak: Leak) async throws {
        let programs = try await LeakPrograms.built()
        leak.stripped("leaks").check(try await chains(programs.stripped(programs.swift), leak))
    }

    @Test(arguments: Leak.swift)
    func `an unstripped copy elsewhere brings the names back`(_ leak: Leak) async throws {
        let programs = try await LeakPrograms.built()
        let chains = try await RunningLeak.with(programs.stripped(programs.swift), leak.name) { running in
            var inspector = try ProcessInspector(running.identity)
            inspector.debugFolders = [programs.folder]
            let blocks = inspector.objects(named: leak.type, limit: 200)
            let chosen = stride(from: 0, to: blocks.count, by: max(1, blocks.count / 8)).map { blocks[$0] }
            return inspector.holders(of: chosen.map { BlockTarget(address: $0) }, deadline: .now + .seconds(30)).chains
        }
        leak.check(chains)
    }
}
