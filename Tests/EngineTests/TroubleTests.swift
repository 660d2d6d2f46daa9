import Diagnosis
import EngineTestKit
import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// What the engine makes of trouble that is no leak.
@Suite(.timeLimit(.minutes(10)))
struct EngineTroubleTests {
    /// What a service under load does in one second: two workers, told in counters.
    private struct Traffic {
        var rate = 100.0
        var coresPerRequest = 0.002
        var latency = 0.01
        var failing = 0.0
        private var generator = SeededGenerator(seed: 7)
        private var cpu = 0.0
        private var measures = ServiceMeasures()

        init() {
            (measures.requests, measures.failures, measures.durationSum, measures.durationCount) = (0, 0, 0, 0)
        }

        mutating func second(_ oakum: EngineSimulation, workers: [UInt32] = [1, 2]) {
            let requests = rate / 2 * (1 + generator.normal(deviation: 0.05))
            measures.requests = (measures.requests ?? 0) + requests
            measures.failures = (measures.failures ?? 0) + requests * failing
            measures.durationCount = (measures.durationCount ?? 0) + requests
            let took = requests * latency * (1 + generator.normal(deviation: 0.05))
            measures.durationSum = (measures.durationSum ?? 0) + took
            measures.inFlight = (rate * latency).rounded()
            cpu += requests * coresPerRequest * (1 + generator.normal(deviation: 0.05))
            let (now, used) = (measures, cpu)
            oakum.world.with { state in
                state.machine.segmentsSent = (state.machine.segmentsSent ?? 0) + 500
                for worker in workers {
                    state.measures[worker] = now
                    state.cpuSeconds[worker] = used
                }
            }
            oakum.advance(1)
        }
    }

    private static func healthyHost(_ oakum: EngineSimulation) {
        oakum.world.with {
            ($0.machine.cpuPressure, $0.machine.memoryPressure, $0.machine.ioPressure) = (0.5, 0, 0.2)
            $0.machine.memoryAvailable = 0.6
            $0.machine.diskFree = ["/data": 0.5]
            ($0.machine.segmentsSent, $0.machine.segmentsRetransmitted) = (1_000, 0)
        }
    }

    /// Runs five quiet minutes, then two and a half with trouble; returns the causes that were told.
    private func causes(
        _ oakum: EngineSimulation, _ trouble: (inout Traffic, Double) -> Void
    ) throws -> [String] {
        Self.healthyHost(oakum)
        oakum.start(.web(budget: 400))
        var traffic = Traffic()
        for _ in 0..<300 { traffic.second(oakum) }
        #expect(oakum.journal.events(.symptom, .diagnosed).isEmpty, "\(oakum.journal.messages(.symptom, .diagnosed))")
        for second in 0..<150 {
            trouble(&traffic, Double(second))
            traffic.second(oakum)
        }
        #expect(oakum.journal.events(.verdict).allSatisfy { $0.verdict?.code != .leak })
        #expect(oakum.journal.events(.diagnosed).allSatisfy { $0.facts["misled_by"] == "" && $0.worker == nil })
        return oakum.journal.events(.diagnosed).compactMap { $0.facts["first_cause"] }
    }

    @Test func `a surge of traffic is told as one, shown, and over when it is over`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            let found = try causes(oakum) { traffic, _ in traffic.rate = 400 }
            #expect(Set(found) == ["traffic_surge"], "\(oakum.journal.messages(.symptom, .diagnosed))")
            let shown = try oakum.overview().services[0]
            #expect(shown.diagnosis?.firstCause == .trafficSurge && shown.symptoms?.isEmpty == false)
            #expect(shown.diagnosis?.ruledOut.contains { $0.what == "deploys" } == true)
            var traffic = Traffic()
            for _ in 0..<90 { traffic.second(oakum) }
            #expect(!oakum.journal.events(.symptomOver).isEmpty)
            let after = try oakum.overview().services[0]
            #expect(after.diagnosis == nil && after.symptoms == nil)
            #expect(oakum.journal.events(.recycleStarted).isEmpty)
        }
    }

    @Test func `a slow dependency is told as one`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            let found = try causes(oakum) { traffic, _ in traffic.latency = 0.4 }
            #expect(Set(found) == ["slow_dependency"], "\(oakum.journal.messages(.symptom, .diagnosed))")
        }
    }

    @Test func `a full disk is told as the cause of failures`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            let found = try causes(oakum) { traffic, second in
                let free = max(0, 0.5 - second / 60)
                oakum.world.with { $0.machine.diskFree = ["/data": free] }
                traffic.failing = free == 0 ? 0.4 : 0
                guard free == 0 else { return }
                let worker = WorkerID(service: "web", number: 1)
                oakum.logs.write("cannot write the record: No space left on device\n", of: worker)
            }
            #expect(Set(found) == ["disk_full"], "\(oakum.journal.messages(.symptom, .diagnosed))")
            let lines = try #require(try oakum.overview().services[0].diagnosis?.logs)
            #expect(lines.contains { $0.template.contains("No space left on device") })
        }
    }

    @Test func `dearer requests after a release are told with the release`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.world.with { $0.program = ProgramIdentity(name: "web", version: "build 1a", key: "build 1a") }
            let found = try causes(oakum) { traffic, second in
                if second == 5 {
                    _ = try? oakum.perform(.markDeploy(service: "web", text: "1.4.2"))  // told below when it failed
                }
                if second >= 5 { (traffic.coresPerRequest, traffic.latency) = (0.007, 0.05) }
            }
            #expect(Set(found) == ["cpu_bound_deploy"], "\(oakum.journal.messages(.symptom, .diagnosed, .deploy))")
            let event = try #require(oakum.journal.events(.diagnosed).first)
            #expect(event.message.contains("since release 1.4.2"), "\(event.message)")
            #expect(oakum.journal.messages(.deploy) == ["web: release 1.4.2"])
        }
    }

    @Test func `ordinary traffic that grows is nothing to tell of`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            Self.healthyHost(oakum)
            oakum.start(.web(budget: 400))
            var traffic = Traffic()
            for second in 0..<1_200 {
                traffic.rate = 100 + 40 * Double(second) / 1_200
                traffic.second(oakum)
            }
            #expect(oakum.journal.events(.symptom, .diagnosed, .deploy).isEmpty)
        }
    }

    // MARK: - Releases

    private static func program(_ build: String, arguments: Int? = 1) -> ProgramIdentity {
        ProgramIdentity(name: "web", version: "build \(build)", key: "build \(build)", arguments: arguments)
    }

    @Test func `another program in a worker's place is a release, told once`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.world.with { $0.program = Self.program("1a") }
            oakum.start(.web())
            oakum.advance(30)
            #expect(oakum.journal.events(.deploy).isEmpty)
            oakum.world.with { state in
                for number in 3...9 { state.programs[UInt32(number)] = Self.program("2b") }
            }
            _ = try oakum.perform(.recycle(service: "web", worker: nil))
            oakum.advance(120)
            #expect(
                oakum.journal.messages(.deploy) == ["web/3 runs another program: web, build 2b, before build 1a"])
        }
    }

    @Test func `a release while oakum was away is told by the next one, and earlier ones are remembered`() async throws
    {
        try await EngineSimulation.run { (oakum) throws in
            oakum.world.with { $0.program = Self.program("1a") }
            oakum.start(.web())
            oakum.advance(30)
            #expect(try oakum.perform(.markDeploy(service: nil, text: "prices")).contains("web"))
            try oakum.killOakum()
            // The keeper starts a crashed worker from the new file.
            oakum.world.with { $0.programs[1] = Self.program("2b") }
            oakum.world.kill(1)
            oakum.advance(20)
            oakum.start(.web())
            oakum.advance(10)
            let told = oakum.journal.messages(.deploy)
            #expect(told.count == 2 && told[1].contains("build 2b"), "\(told)")
        }
    }

    @Test func `other arguments are a release, unknown ones are not`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.world.with { $0.program = Self.program("1a", arguments: 1) }
            oakum.start(.web())
            oakum.advance(30)
            for (round, arguments) in [nil, 1, 2].enumerated() {
                oakum.world.with { $0.program = Self.program("1a", arguments: arguments) }
                _ = try oakum.perform(.recycle(service: "web", worker: nil))
                oakum.advance(120)
                #expect(oakum.journal.events(.deploy).count == (round == 2 ? 1 : 0), "round \(round)")
            }
        }
    }

    @Test func `a release told with nonsense is refused`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            for text in ["", "  \n", String(repeating: "x", count: 201)] {
                #expect(throws: ControlError.self) { try oakum.perform(.markDeploy(service: "web", text: text)) }
            }
            #expect(throws: ControlError.self) { try oakum.perform(.markDeploy(service: "nobody", text: "1.0")) }
            #expect(oakum.journal.events(.deploy).isEmpty)
        }
    }
}
