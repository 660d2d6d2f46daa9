import OakumAPI
import OakumHTTP
import OakumModel
import OakumRemote
import Synchronization
import Testing

extension RunningServers {
    /// What every control plane does alike; run on the fake itself and on the fake seen through server and socket.
    @Suite(.timeLimit(.minutes(10)))
    struct ControlPlaneContract {
        enum Kind: CaseIterable { case direct, remote }

        private func check(
            _ kind: Kind, _ fake: FakeControlPlane = FakeControlPlane(), _ body: (any ControlPlane) async throws -> Void
        ) async throws {
            switch kind {
            case .direct: try await body(fake)
            case .remote:
                try await withControlServer(fake) { path, _ in
                    try await body(RemoteControlPlane(socketPath: path, timeoutSeconds: 40))
                }
            }
        }

        @Test(arguments: Kind.allCases)
        func `an overview arrives as it is`(_ kind: Kind) async throws {
            let fake = FakeControlPlane()
            fake.change { state in
                state.overview.oakum.problems = ["journal: disk full \"quoted\" <b> \u{1F980}"]
                state.overview.services[0].workers[1].latest = nil
                state.overview.services[0].workers[1].verdict.timeToLimit = TimeToLimit(low: .infinity, high: nil)
            }
            try await check(kind, fake) { plane in
                let seen = try await plane.overview()
                #expect(seen == fake.state.withLock { $0.overview })
            }
        }

        @Test(arguments: Kind.allCases)
        func `history arrives as it is, thinned to the points asked for`(_ kind: Kind) async throws {
            try await check(kind) { plane in
                let history = try await plane.history(HistoryQuery(service: "registrar", seconds: 60, points: 10))
                #expect(history.budget == .mebibytes(256))
                #expect(history.workers.map(\.number) == [7, 8])
                #expect(history.workers.allSatisfy { $0.points.count == 10 })
            }
        }

        @Test(arguments: Kind.allCases)
        func `a service with an odd name is found by it`(_ kind: Kind) async throws {
            let name = "a&b=c d/ü#?%20+"
            let fake = FakeControlPlane()
            fake.change { $0.histories[name] = History(service: name, budget: .zero, workers: []) }
            try await check(kind, fake) { plane in
                let history = try await plane.history(HistoryQuery(service: name))
                #expect(history.service == name)
            }
        }

        @Test(arguments: Kind.allCases)
        func `events come in rising order after a number, or the newest`(_ kind: Kind) async throws {
            let fake = FakeControlPlane()
            fake.change { state in
                state.events = (1...30).map { Samples.event($0, .verdict, Double($0), "number \($0)") }
            }
            try await check(kind, fake) { plane in
                let after = try await plane.events(EventQuery(after: 4, limit: 3))
                #expect(after.map(\.id) == [5, 6, 7])
                let newest = try await plane.events(EventQuery(after: nil, limit: 2))
                #expect(newest.map(\.id) == [29, 30])
                let none = try await plane.events(EventQuery(after: 30, limit: 2))
                #expect(none.isEmpty)
                let last = try await plane.events(EventQuery(after: 29, limit: 1))
                #expect(last == fake.state.withLock { Array($0.events.suffix(1)) })
            }
        }

        @Test(arguments: Kind.allCases)
        func `a look into a heap arrives as it is, and so do files`(_ kind: Kind) async throws {
            let fake = FakeControlPlane(HeapSamples.state())
            fake.change { $0.heaps[HeapSamples.query]?.live.high = .infinity }
            try await check(kind, fake) { plane in
                let view = try await plane.heap(HeapSamples.query)
                #expect(view == fake.state.withLock { $0.heaps[HeapSamples.query] })
                for form in HeapFileForm.allCases {
                    let bytes = try await plane.heapFile(HeapSamples.query, as: form)
                    #expect(bytes == Array("\(form) of registrar".utf8) + [0, 0xFF, 0x0A])
                }
                await #expect(throws: ControlError.notFound("there is no service web")) {
                    try await plane.heap(HeapQuery(service: "web", worker: 7))
                }
                await #expect(throws: ControlError.notFound("there is no worker 9")) {
                    try await plane.heapFile(HeapQuery(service: "registrar", worker: 9), as: .pprof)
                }
                fake.change { $0.overview.services[0].samplesHeap = false }
                await #expect(throws: ControlError.refused("registrar carries no sampler")) {
                    try await plane.heap(HeapSamples.query)
                }
            }
        }

        @Test(arguments: Kind.allCases)
        func `commands are carried out, each once`(_ kind: Kind) async throws {
            let fake = FakeControlPlane()
            let commands: [ControlCommand] = [
                .recycle(service: "registrar", worker: 7), .recycle(service: "registrar", worker: nil), .pause(true),
                .pause(false), .markDeploy(service: "registrar", text: "1.4.2"), .markDeploy(service: nil, text: "ü\""),
                .down,
            ]
            try await check(kind, fake) { plane in
                for command in commands {
                    let outcome = try await plane.perform(command)
                    #expect(outcome.message == "done")
                }
            }
            #expect(fake.commands == commands)
        }

        @Test(arguments: Kind.allCases)
        func `what cannot be done says so in its own case`(_ kind: Kind) async throws {
            try await check(kind) { plane in
                await #expect(throws: ControlError.notFound("there is no service web")) {
                    try await plane.perform(.recycle(service: "web", worker: nil))
                }
                await #expect(throws: ControlError.notFound("there is no service web; there is [\"registrar\"]")) {
                    try await plane.history(HistoryQuery(service: "web"))
                }
                _ = try await plane.perform(.pause(true))
                await #expect(throws: ControlError.refused("acts are paused")) {
                    try await plane.perform(.recycle(service: "registrar", worker: 7))
                }
                await #expect(throws: ControlError.self) { try await plane.events(EventQuery(after: nil, limit: 0)) }
            }
        }

        @Test(
            arguments: Kind.allCases,
            [
                ControlError.notRunning("a"), .notFound("b"), .refused("c"), .forbidden("d"), .invalid("e"),
                .failed("f"),
            ])
        func `every failure keeps its case and its words`(_ kind: Kind, _ failure: ControlError) async throws {
            let fake = FakeControlPlane()
            fake.change { $0.failure = failure }
            try await check(kind, fake) { plane in
                await #expect(throws: failure) { try await plane.overview() }
                await #expect(throws: failure) { try await plane.perform(.down) }
                await #expect(throws: failure) { try await plane.heap(HeapSamples.query) }
            }
        }

        @Test func `nobody listening is told as not running`() async throws {
            let plane = RemoteControlPlane(socketPath: "/tmp/oakum-none/oakum.sock")
            await #expect {
                try await plane.overview()
            } throws: { error in
                guard case .notRunning(let text)? = error as? ControlError else { return false }
                return text.contains("/tmp/oakum-none/oakum.sock") && text.contains("oakum up")
            }
        }
    }
}
