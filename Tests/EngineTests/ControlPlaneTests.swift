import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

@Suite(.timeLimit(.minutes(10)))
struct ControlPlaneTests {
    @Test func `the overview tells workers, budget, address and Oakum itself`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(10)
            let overview = try oakum.overview()
            #expect(overview.oakum.pid == 7)
            #expect(overview.oakum.keeperPID == 50)
            #expect(overview.oakum.rss == .mebibytes(20))
            #expect(overview.oakum.problems.isEmpty)
            let web = try #require(overview.services.first)
            #expect(web.address == "127.0.0.1:80/web")
            #expect(web.desiredWorkers == 2)
            #expect(web.budget == .mebibytes(256))
            #expect(!web.recycling)
            #expect(web.workers.map(\.phase) == [.serving, .serving])
            #expect(web.workers.allSatisfy { $0.latest?.rss == .mebibytes(50) && $0.startedAt != nil })
            #expect(web.workers.allSatisfy { abs(($0.cpuCores ?? 0) - 0.25) < 0.01 })
        }
    }

    @Test func `a sample that cannot be read is no zero: the last one stays`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(10)
            let process = try #require(oakum.world.with { $0.keepers["web"]?.process(of: 1)?.identity })
            oakum.world.with { $0.unreadable = [process] }
            let count = oakum.history.with { $0.samples[process]?.count }
            oakum.advance(10)
            #expect(try oakum.overview().services[0].workers[0].latest?.rss == .mebibytes(50))
            #expect(oakum.history.with { $0.samples[process]?.count } == count)
        }
    }

    @Test func `events come by number, and wrong questions are said to be wrong`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            let events = { (query: EventQuery) in
                try oakum.ask { engine throws(ControlError) in try await engine.events(query).map(\.id) }
            }
            #expect(try events(EventQuery(after: 2, limit: 2)) == [3, 4])
            #expect(try events(EventQuery(limit: 2)) == [4, 5])
            #expect(throws: ControlError.self) { try events(EventQuery(limit: 0)) }
            oakum.journal.fail(.failed("torn"))
            let error = #expect(throws: ControlError.self) { try events(EventQuery(limit: 1)) }
            #expect(error?.message.contains("torn") == true)
        }
    }

    @Test func `history is given by worker, and wrong questions are said to be wrong`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(30)
            let history = { (query: HistoryQuery) in
                try oakum.ask { engine throws(ControlError) in try await engine.history(query) }
            }
            let found = try history(HistoryQuery(service: "web", seconds: 60, points: 10))
            #expect(found.workers.map(\.number) == [1, 2])
            #expect(found.workers.allSatisfy { $0.points.count == 10 })
            #expect(found.budget == .mebibytes(256))
            let unknown = #expect(throws: ControlError.self) { try history(HistoryQuery(service: "api")) }
            #expect(unknown == .notFound("there is no service api; there is web"))
            for (seconds, points) in [
                (0.0, 10), (-1, 10), (.nan, 10), (.infinity, 10), (1e12, 10), (60, 1), (60, 1_000_000),
            ] {
                let wrong = HistoryQuery(service: "web", seconds: seconds, points: points)
                let error = #expect(throws: ControlError.self) { try history(wrong) }
                guard case .invalid = error else {
                    Issue.record("\(seconds) s, \(points) points: \(String(describing: error))")
                    continue
                }
            }
            oakum.history.fail(.unusable("torn"))
            #expect(throws: ControlError.self) { try history(HistoryQuery(service: "web")) }
        }
    }

    @Test func `all are recycled by hand, one at a time, and the wish is in the journal`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(workers: 3, floor: 3))
            oakum.advance(5)
            let said = try oakum.perform(.recycle(service: "web", worker: nil))
            #expect(said == "recycling web/1, web/2, web/3, one at a time")
            #expect(oakum.journal.messages(.command) == ["asked to recycle web/1, web/2, web/3"])
            try oakum.advance(until: "all replaced") { oakum.journal.events(.recycleFinished).count == 3 }
            #expect(try oakum.serving() == [4, 5, 6])
            #expect(try oakum.overview().services[0].recycles == 3)
            let kinds = oakum.journal.events.map(\.kind).filter { $0 == .recycleStarted || $0 == .recycleFinished }
            #expect(
                kinds == [
                    .recycleStarted, .recycleFinished, .recycleStarted, .recycleFinished, .recycleStarted,
                    .recycleFinished,
                ])
        }
    }

    @Test func `what cannot be recycled is refused with what to do`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            let refusal = { (service: String, worker: UInt32?) -> ControlError? in
                do {
                    _ = try oakum.ask { engine throws(ControlError) in
                        try await engine.perform(.recycle(service: service, worker: worker))
                    }
                    return nil
                } catch let error as ControlError {
                    return error
                }
            }
            #expect(try refusal("api", nil) == .notFound("there is no service api; there is web"))
            #expect(try refusal("web", 9) == .notFound("service web has no worker 9; it has 1, 2"))
            _ = try oakum.perform(.recycle(service: "web", worker: 1))
            #expect(try oakum.perform(.recycle(service: "web", worker: 1)) == "web/1 is being replaced already")
            #expect(try refusal("web", 3) == .refused("web/3 is just taking over from web/1"))
            _ = try oakum.perform(.pause(true))
            guard case .refused(let text) = try refusal("web", 2) else {
                Issue.record("recycled while paused")
                return
            }
            #expect(text.contains("pause --off"))
        }
    }

    @Test func `two services are watched apart`() async throws {
        var configuration = EngineConfiguration.web()
        configuration.services.append(
            ServiceConfiguration(name: "api", budget: .mebibytes(100), pool: configuration.services[0].pool))
        let keepers = ["web": KeeperModel(seed: 1), "api": KeeperModel(seed: 2, firstPID: 5_000)]
        try await EngineSimulation.run(keepers: keepers) { (oakum) throws in
            oakum.start(configuration)
            oakum.advance(5)
            _ = try oakum.perform(.recycle(service: "api", worker: 2))
            oakum.advance(10)
            #expect(try oakum.serving("web") == [1, 2])
            #expect(try oakum.serving("api") == [1, 3])
            #expect(try oakum.overview().services.map(\.name) == ["web", "api"])
        }
    }
}
