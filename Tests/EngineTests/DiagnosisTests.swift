import Diagnosis
import EngineTestKit
import Foundation  // exp
import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// What the engine makes of a leak and of everything else it reads.
@Suite(.timeLimit(.minutes(10)))
struct EngineDiagnosisTests {
    private static let leaky = [
        "web": KeeperModel(seed: 1) { number, _ in
            var behaviour = KeeperModel.Behaviour()
            behaviour.growthPerSecond = number == 1 ? 1_048_576 : 0
            return behaviour
        }
    ]

    @Test func `a leak is told as the first cause, with what is ruled out and what a restart buys`() async throws {
        try await EngineSimulation.run(keepers: Self.leaky) { (oakum) throws in
            oakum.world.with {
                $0.machine.memoryAvailable = 0.61
                $0.machine.diskFree = ["/": 0.4]
                $0.machine.cpuPressure = 0
                $0.machine.memoryPressure = 0
                $0.machine.ioPressure = 0
            }
            oakum.start(.web(budget: 400))
            try oakum.advance(until: "a cause") { !oakum.journal.events(.diagnosed).isEmpty }
            let event = try #require(oakum.journal.events(.diagnosed).first)
            #expect(event.worker == 1 && event.facts["first_cause"] == "memory" && event.facts["misled_by"] == "")
            oakum.advance(30)
            let worker = try #require(try oakum.overview().services[0].workers.first { $0.number == 1 })
            let diagnosis = try #require(worker.diagnosis)
            #expect(diagnosis.firstCause == .memory)
            #expect(
                diagnosis.ruledOut.contains { $0.what.contains("memory") && $0.because.contains("61") }, "\(diagnosis)")
            #expect(
                diagnosis.ruledOut.contains { $0.what.contains("disk") && $0.because.contains("40") }, "\(diagnosis)")
            #expect((diagnosis.restartBuys?.estimate ?? 0) > 60)
            // The same cause again is no news.
            #expect(oakum.journal.events(.diagnosed).count == 1)
            #expect(
                try oakum.overview().services[0].workers.filter { $0.number != 1 }.allSatisfy { $0.diagnosis == nil })
        }
    }

    @Test func `a bounded cache that fills is named in the verdict, and no recycle comes of it`() async throws {
        let filling = [
            "web": KeeperModel(seed: 1) { _, _ in
                var behaviour = KeeperModel.Behaviour()
                behaviour.growthPerSecond = 0
                return behaviour
            }
        ]
        try await EngineSimulation.run(keepers: filling) { (oakum) throws in
            oakum.start(.web(workers: 1, budget: 1_024))
            for second in 0..<600 {
                oakum.world.with { state in
                    let held = 100 * 1_048_576 * (1 - exp(-Double(second) / 120))
                    state.extraBytes[1] = held
                    var measures = ServiceMeasures()
                    measures.caches = ["profiles": CacheMeasures(bytes: held, bound: 256 * 1_048_576)]
                    state.measures[1] = measures
                }
                oakum.advance(1)
            }
            let summaries = oakum.journal.messages(.verdict)
            #expect(
                summaries.contains { $0.contains("profiles cache at ") && $0.contains(" % of its 256.0 MiB") },
                "\(summaries)")
            #expect(oakum.journal.events(.recycleStarted).isEmpty)
        }
    }

    @Test func `log lines that came with the leak are shown with it, and those that come anyway are not`() async throws
    {
        try await EngineSimulation.run(keepers: Self.leaky) { (oakum) throws in
            oakum.start(.web(budget: 400))
            let worker = WorkerID(service: "web", number: 1)
            for second in 0..<300 {
                oakum.world.with { $0.extraBytes[1] = second < 120 ? -1_048_576 * Double(second) : -120 * 1_048_576 }
                for line in 0..<5 { oakum.logs.write("answered request \(second * 5 + line) in 3 ms\n", of: worker) }
                if second > 125 {
                    oakum.logs.write("cache holds \(second * 40) entries, more than usual\n", of: worker)
                }
                oakum.advance(1)
            }
            let status = try #require(try oakum.overview().services[0].workers.first { $0.number == 1 })
            let diagnosis = try #require(status.diagnosis)
            #expect(diagnosis.firstCause == .memory)
            #expect(diagnosis.logs.map(\.template) == ["cache holds <*> entries, more than usual"], "\(diagnosis.logs)")
            #expect(status.verdict.evidence.contains { $0.hasPrefix("Log line “cache holds <*>") })
        }
    }

    @Test func `workers that are steady are not diagnosed`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(600)
            #expect(oakum.journal.events(.diagnosed).isEmpty)
            #expect(try oakum.overview().services[0].workers.allSatisfy { $0.diagnosis == nil })
        }
    }
}

@Suite struct WorkerRecordTests {
    @Test func `a record covers the whole life in bounded room`() async throws {
        try await forAll(seeds: 30) { generator in
            var series = ThinnedSeries<Int>(capacity: generator.int(2...40))
            let count = generator.int(1...2_000)
            for number in 0..<count { series.append(number) }
            #expect(series.readings.count <= series.capacity)
            #expect(series.readings.count >= min(count, series.capacity / 2))
            #expect(series.readings.first == 0)
            let gaps = Set(zip(series.readings, series.readings.dropFirst()).map { $1 - $0 })
            #expect(gaps.count <= 1, "\(series.readings)")
        }
    }

    @Test func `counters become rates and shares, and caches keep their bound`() throws {
        var record = WorkerRecord()
        for second in 0..<20 {
            let at = Uptime(seconds: 100 + Double(second))
            record.add(Sample(at: at, rss: .mebibytes(50), cpuSeconds: Double(second) * 0.5, threads: 4))
            guard second.isMultiple(of: 2) else { continue }
            var measures = ServiceMeasures()
            measures.requests = Double(second) * 10
            measures.failures = Double(second)
            measures.durationSum = Double(second) * 0.2
            measures.durationCount = Double(second) * 10
            measures.work = ["profile_cache_scanned_total": Double(second * second)]
            measures.caches = ["profiles": CacheMeasures(bytes: Double(second) * 1_000, bound: 1e6, evictions: 4)]
            record.add(fileDescriptors: 30, measures, at: at)
        }
        let signals = record.signals
        func signal(_ kind: SignalKind) throws -> Signal { try #require(signals.first { $0.kind == kind }) }
        #expect(try signal(.memory).points.count == 20)
        #expect(try signal(.cpu).points.allSatisfy { abs($0.value - 0.5) < 1e-9 })
        #expect(try signal(.requests).points.allSatisfy { abs($0.value - 10) < 1e-9 })
        #expect(try signal(.errors).points.allSatisfy { abs($0.value - 0.1) < 1e-9 })
        #expect(try signal(.latency).points.allSatisfy { abs($0.value - 0.02) < 1e-9 })
        #expect(try signal(.work).name == "profile cache scanned")
        #expect(try signal(.work).points.last?.value == 34)
        #expect(!signals.contains { $0.kind == .inFlight })
        let cache = try #require(record.caches.first)
        #expect(cache.name == "profiles" && cache.bound == ByteCount(1_000_000) && cache.evictionsPerSecond == 0)
    }
}
