import OakumAPI
import OakumModel

/// The heap of a worker that keeps a context of every sign-up, as a look would show it.
enum HeapSamples {
    static let query = HeapQuery(service: "registrar", worker: 7)

    static let finding = HeapFinding(
        site: "Registration.VerificationContext.init(account:) (Verification.swift:49)",
        function: "Registration.VerificationContext.init(account:)", file: "Verification.swift", line: 49,
        fingerprint: "939067d78d019762", type: "[UInt8]",
        chain: [
            "static VerificationStore.shared", "VerificationStore.contexts", "a value of [String: VerificationContext]",
            "VerificationContext.renderedMail", "[UInt8]",
        ], liveBytes: 98_566_144, share: 0.63, neverFreed: Estimate(estimate: 0.98, low: 0.93, high: 1),
        tookSeconds: 1.5)

    /// A control plane's state with a leaking worker that carries the sampler.
    static func state(base: Bool = true, now: Moment = Samples.moment(60)) -> FakeControlPlane.State {
        var state = Samples.state()
        state.overview.services[0].samplesHeap = true
        state.overview.services[0].workers[0].leaks = [finding]
        state.heaps[query] = view(base: base, now: now)
        return state
    }

    static func estimate(_ mebibytes: Double, spread: Double = 0.06) -> Estimate {
        let bytes = mebibytes * 1_048_576
        return Estimate(estimate: bytes, low: bytes - abs(bytes) * spread, high: bytes + abs(bytes) * spread)
    }

    static func view(base: Bool = true, now: Moment = Samples.moment(60)) -> HeapView {
        let before = Moment(
            uptime: now.uptime + -3_760, wall: WallTime(milliseconds: now.wall.milliseconds - 3_760_000))
        return HeapView(
            of: query, process: ProcessIdentity(pid: 901, startTicks: 90_100), at: now,
            tookSeconds: 1.43, isAlive: true, base: base ? before : nil, live: estimate(148.4),
            growth: base ? estimate(83.1) : nil, bytesInUse: 155_713_536, samples: 211, meanBytes: 524_288,
            confidence: 0.95, tree: tree(base: base), nodesLeftOut: 12, sites: sites(base: base), sitesLeftOut: 31,
            remarks: ["3 live samples have a stack that ended early, in code without frame pointers"])
    }

    /// Depth, function, place, role, MiB, own MiB, grown MiB.
    private static let calls: [(Int, String, String?, HeapRole, Double, Double, Double)] = [
        (0, "all", nil, .runtime, 148.4, 0, 83.1),
        (1, "start_thread", nil, .runtime, 99.2, 0, 58.1),
        (
            2, "NIOPosix.SelectableEventLoop.run() throws -> ()", "SelectableEventLoop.swift:612", .library, 98.1, 0.4,
            58.6
        ),
        (
            3,
            "closure #1 (Registration.Request) async throws -> Registration.Answer in Registration.Routes.add() -> ()",
            "Routes.swift:31", .own, 96.0, 0.2, 59.9
        ),
        (
            4,
            "(1) suspend resume partial function for Registration.SignUp.answer(Registration.Request) async throws -> ()",
            "SignUp.swift:88", .own, 95.1, 0.1, 59.8
        ),
        (
            5,
            "Registration.VerificationContext.init(account: Registration.Account) -> Registration.VerificationContext",
            "Verification.swift:49", .own, 94, 0.3, 59.5
        ),
        (6, "Swift.Array.init<A>(repeating: A, count: Swift.Int) -> [A]", nil, .runtime, 93.7, 93.7, 59.5),
        (5, "Registration.Password.digest(Swift.String) -> [Swift.UInt8]", "Password.swift:20", .own, 1, 1, 0.3),
        (4, "Swift._StringGuts.reserveCapacity(Swift.Int) -> ()", nil, .runtime, 0.7, 0.7, 0.1),
        (
            3, "NIOCore.ByteBufferAllocator.buffer(capacity: Swift.Int) -> NIOCore.ByteBuffer", nil, .library, 1.7, 1.7,
            -1.3
        ),
        (2, "GRDB.DatabaseQueue.write<A>((GRDB.Database) throws -> A) throws -> A", nil, .library, 1.1, 1.1, -0.5),
        (1, "Registration.SessionCache.run() async -> ()", "SessionCache.swift:18", .own, 38, 0, 21.5),
        (2, "Registration.SessionCache.insert(Registration.Session) -> ()", "SessionCache.swift:51", .own, 30, 0.5, 19),
        (3, "Swift._NativeDictionary.copyAndResize(capacity: Swift.Int) -> ()", nil, .runtime, 29.5, 29.5, 18.8),
        (2, "NIOCore.ByteBuffer.copyBytes(at: Swift.Int) -> ()", "ByteBuffer-core.swift:402", .library, 8, 8, 2.5),
        (1, "main", "main.swift:4", .own, 11.2, 0.2, 3.5),
        (2, "Registration.Templates.compile() throws -> ()", "Templates.swift:112", .own, 7, 0, 3.4),
        (3, "Swift.String.append(Swift.String) -> ()", nil, .runtime, 7, 7, 3.4),
        (2, "Registration.Tables.load() throws -> Registration.Tables", "Tables.swift:77", .own, 4, 4, 0.1),
    ]

    private static func tree(base: Bool) -> [HeapNode] {
        var path: [Int] = []
        return calls.enumerated().map { index, call in
            path.removeSubrange(call.0...)
            defer { path.append(index) }
            func bytes(_ mebibytes: Double) -> Int64 { Int64(mebibytes * 1_048_576) }
            return HeapNode(
                parent: path.last, function: call.1, place: call.2, role: call.3, bytes: bytes(call.4),
                ownBytes: bytes(call.5), growth: base ? bytes(call.6) : nil)
        }
    }

    private static func sites(base: Bool) -> [HeapSite] {
        let chain = HeapChain(
            path: finding.chain,
            words:
                "[UInt8], held by VerificationContext.renderedMail, held by …, held by static VerificationStore.shared",
            blocks: 8, examined: 8)
        return [
            HeapSite(
                site: finding.site, fingerprint: finding.fingerprint, role: .own, verdict: "leaks",
                verdictWords: "leaks", reason: "98 % (93 % to 100 %) of its bytes outlive 9 min", live: estimate(94),
                share: 0.63, growth: base ? estimate(59.5) : nil, neverFreed: finding.neverFreed,
                types: [HeapTypeShare(type: "[UInt8]", bytes: 98_566_144)], chains: [chain]),
            HeapSite(
                site: "Registration.Tables.load() (Tables.swift:77)", fingerprint: "2f", role: .own, verdict: "settled",
                verdictWords: "settled", reason: "nothing that stays was added in the last 58 min observed",
                live: estimate(4, spread: 0.4), share: 0.03, growth: base ? estimate(0.1, spread: 9) : nil,
                neverFreed: Estimate(estimate: 0.004, low: 0, high: 0.02), types: [], chains: []),
        ]
    }
}
