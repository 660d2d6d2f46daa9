import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Synchronization
import Testing

/// A look into a heap that somebody asks for.
@Suite(.timeLimit(.minutes(10)))
struct HeapLookTests {
    private static let query = HeapQuery(service: "web", worker: 1)

    private static func view(_ worker: UInt32 = 1) -> HeapView {
        HeapView(
            of: HeapQuery(service: "web", worker: worker), process: ProcessIdentity(pid: 1, startTicks: 1),
            at: Moment(uptime: Uptime(seconds: 1), wall: WallTime(milliseconds: 1)), tookSeconds: 1, isAlive: true,
            base: nil, live: Estimate(estimate: 1, low: 1, high: 1), growth: nil, bytesInUse: nil, samples: 1,
            meanBytes: 1, confidence: 0.95, tree: [], nodesLeftOut: 0, sites: [], sitesLeftOut: 0, remarks: [])
    }

    private static func ask(_ oakum: EngineSimulation, _ worker: UInt32 = 1) throws -> HeapView {
        try oakum.ask { engine throws(ControlError) in
            try await engine.heap(HeapQuery(service: "web", worker: worker))
        }
    }

    private static func problem(_ oakum: EngineSimulation, _ query: HeapQuery = query) -> ControlError? {
        #expect(throws: ControlError.self) {
            try oakum.ask { engine throws(ControlError) in try await engine.heap(query) }
        }
    }

    @Test func `the look is at the worker's process, and good for ten seconds`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.witness.state.withLock { $0.look = .view(Self.view()) }
            oakum.start(.web(samplesHeap: true))
            oakum.advance(10)
            #expect(try oakum.overview().services[0].samplesHeap == true)
            #expect(try Self.ask(oakum) == Self.view())
            let process = try #require(oakum.world.with { $0.keepers["web"]?.process(of: 1)?.identity })
            let subject = HeapSubject(worker: WorkerID(service: "web", number: 1), process: process)
            #expect(oakum.witness.state.withLock { $0.looked } == [subject])
            oakum.advance(9)
            _ = try Self.ask(oakum)
            #expect(oakum.witness.state.withLock { $0.looked.count } == 1)
            oakum.advance(2)
            _ = try Self.ask(oakum)
            #expect(oakum.witness.state.withLock { $0.looked.count } == 2)
        }
    }

    @Test func `files for other tools come the same way`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.witness.state.withLock { $0.look = .file([1, 2]) }
            oakum.start(.web(samplesHeap: true))
            oakum.advance(10)
            let bytes = try oakum.ask { engine throws(ControlError) in
                try await engine.heapFile(Self.query, as: .pprof)
            }
            #expect(bytes == [1, 2])
            #expect(oakum.witness.state.withLock { $0.looked.map(\.form) } == [.pprof])
        }
    }

    @Test func `one look at a time: the same is shared, another is refused`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.witness.lookGate.close()
            oakum.witness.state.withLock { $0.look = .view(Self.view()) }
            oakum.start(.web(samplesHeap: true))
            oakum.advance(10)
            let answers = Recorder<HeapView>()
            for _ in 0..<3 {
                oakum.later { engine in
                    // A refusal shows as a missing answer.
                    if let view = try? await engine.heap(Self.query) { answers.record(view) }
                }
            }
            let other = Self.problem(oakum, HeapQuery(service: "web", worker: 2))
            #expect(other == .refused("the heap of web/1 is being looked at: try again in some seconds"))
            #expect(answers.values.isEmpty)
            oakum.witness.lookGate.open()
            oakum.settle()
            #expect(answers.values == [Self.view(), Self.view(), Self.view()])
            #expect(oakum.witness.state.withLock { $0.looked.count } == 1)
        }
    }

    @Test func `a look that hangs is given up, and the next may begin`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.witness.lookGate.close()
            oakum.start(.web(samplesHeap: true))
            oakum.advance(10)
            let answers = Recorder<ControlError>()
            oakum.later { engine in
                do throws(ControlError) {
                    _ = try await engine.heap(Self.query)
                } catch {
                    answers.record(error)
                }
            }
            oakum.advance(21)
            #expect(answers.values.first?.message.contains("looking took too long") == true)
            oakum.witness.lookGate.open()
            oakum.witness.state.withLock { $0.look = .view(Self.view(2)) }
            #expect(try Self.ask(oakum, 2) == Self.view(2))
        }
    }

    @Test func `who still waits when oakum ends gets an answer`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.witness.lookGate.close()
            oakum.start(.web(samplesHeap: true))
            oakum.advance(10)
            let answers = Recorder<ControlError>()
            oakum.later { engine in
                do throws(ControlError) {
                    _ = try await engine.heap(Self.query)
                } catch {
                    answers.record(error)
                }
            }
            _ = try oakum.end(.detached)
            #expect(answers.values.count == 1)
            #expect(Self.problem(oakum)?.message.contains("starting or ending") == true)
        }
    }

    @Test func `what cannot be looked at says why and what to do`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.witness.state.withLock { $0.look = .nothing("the process is gone") }
            oakum.start(.web(samplesHeap: true))
            oakum.advance(10)
            #expect(
                Self.problem(oakum) == .refused("the heap of web/1 cannot be looked into: the process is gone"))
            #expect(
                Self.problem(oakum, HeapQuery(service: "api", worker: 1))
                    == .notFound("there is no service api; there is web"))
            #expect(
                Self.problem(oakum, HeapQuery(service: "web", worker: 77))
                    == .notFound("nothing is known of a process of web/77; there is web/1, web/2"))
        }
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(10)
            #expect(try oakum.overview().services[0].samplesHeap == false)
            let problem = try #require(Self.problem(oakum))
            guard case .refused(let text) = problem else { throw problem }
            #expect(text.contains("heap: {sampler: true}"))
            #expect(oakum.witness.state.withLock { $0.looked }.isEmpty)
        }
    }

    @Test func `of a worker that is gone what it left is looked at`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.witness.state.withLock { $0.look = .view(Self.view()) }
            oakum.start(.web(samplesHeap: true))
            oakum.advance(10)
            let process = try #require(oakum.world.with { $0.keepers["web"]?.process(of: 1)?.identity })
            _ = try oakum.perform(.recycle(service: "web", worker: 1))
            try oakum.advance(until: "the recycle") { !oakum.journal.events(.recycleFinished).isEmpty }
            oakum.advance(30)
            #expect(try !oakum.serving().contains(1))
            _ = try Self.ask(oakum)
            #expect(oakum.witness.state.withLock { $0.looked.last?.process } == process)
        }
    }

    @Test func `not everybody may wait`() {
        var desk = HeapDesk()
        let subject = HeapSubject(
            worker: WorkerID(service: "web", number: 1), process: ProcessIdentity(pid: 1, startTicks: 1))
        #expect(desk.ask(subject, at: Uptime(seconds: 0)) == .closed)
        desk.open()
        #expect(desk.ask(subject, at: Uptime(seconds: 0)) == .begin)
        for _ in 1..<HeapDesk.waiterLimit { #expect(desk.ask(subject, at: Uptime(seconds: 1)) == .wait) }
        #expect(desk.ask(subject, at: Uptime(seconds: 1)) == .crowded)
        desk.finished(.nothing("x"), at: Uptime(seconds: 2))
        #expect(desk.ask(subject, at: Uptime(seconds: 3)) == .known(.nothing("x")))
        desk.forget(at: Uptime(seconds: 12))
        #expect(desk.ask(subject, at: Uptime(seconds: 3)) == .begin, "what was forgotten is looked at anew")
    }
}
