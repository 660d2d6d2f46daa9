import Foundation
import OakumAPI
import OakumModel

/// Two services as they look under Oakum: one leaks and is recycled again and again, one fills its cache. A second passes
/// with each overview, whatever the clock says; everything else follows from the second.
struct Showcase: Sendable {
    /// Second 0 of the scenario.
    var origin: WallTime
    /// A worker's life until it is replaced at 85 % of 256 MiB.
    private static let life = 214.0
    private static let overlap = 5.0
    private static let slope = 0.78
    private static let pasts = 900

    static func controlPlane() -> FakeControlPlane {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let showcase = Showcase(origin: WallTime(milliseconds: now - Int64(pasts) * 1000))
        var state = FakeControlPlane.State(overview: showcase.overview(at: pasts))
        state.events = showcase.events(through: pasts)
        for name in ["registrar", "catalogue"] {
            state.histories[name] = showcase.history(name, through: pasts)
        }
        return FakeControlPlane(state) { state, call in
            let second = pasts + call
            state.overview = showcase.overview(at: second)
            state.events = showcase.events(through: second)
        }
    }

    // MARK: - Workers of the leaking service

    private struct Life: Equatable {
        var number: UInt32
        var born: Double
        var pid: Int32 { 4000 + Int32(number) * 17 }
        var process: ProcessIdentity { ProcessIdentity(pid: pid, startTicks: UInt64(max(0, born * 100 + 1e6))) }
        func age(_ second: Double) -> Double { second - born }
    }

    /// The lives of one of the two slots that touch `second`, the replaced one first.
    private func lives(slot: Int, at second: Double) -> [Life] {
        let shifted = second + Double(slot) * Self.life / 2 + 120
        let generation = Int(shifted / Self.life)
        let born = second - (shifted - Double(generation) * Self.life)
        let current = Life(number: UInt32(generation * 2 + slot + 1), born: born)
        guard current.age(second) < Self.overlap, generation > 0 else { return [current] }
        return [Life(number: current.number - 2, born: born - Self.life), current]
    }

    private func noise(_ number: UInt32, _ second: Double) -> Double {
        let mixed = UInt64(number) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(max(0, second)) &* 0xBF58_476D_1CE4_E5B9
        return Double((mixed ^ (mixed >> 31)) % 1000) / 1000 - 0.5
    }

    private func leakingMebibytes(_ life: Life, _ second: Double) -> Double {
        let age = life.age(second)
        return 34 + 16 * (1 - exp(-age / 5)) + Self.slope * age + 1.6 * noise(life.number, second)
    }

    private func leakingWorker(_ life: Life, _ second: Double, draining: Bool) -> WorkerStatus {
        let age = life.age(second)
        let size = leakingMebibytes(life, second)
        let rate = Self.slope * 1_048_576
        var verdict = Verdict(code: .notEnoughData, evidence: [])
        var summary = "not enough data"
        if age > 45 {
            let left = (256 - size) / Self.slope
            verdict = Verdict(
                code: .leak, onsetSeconds: 8, decidedSeconds: 45,
                slope: Estimate(estimate: rate, low: rate * 0.9, high: rate * 1.1),
                timeToLimit: TimeToLimit(low: left / 1.1, high: left / 0.9),
                evidence: [
                    "the floor of memory rose in each of the last \(Int(age / 5)) buckets",
                    "growth follows the requests answered: 64.1 KiB each",
                ])
            summary = "leak: 0.78 MiB/s, budget reached in \(Int(left / 1.1))–\(Int(left / 0.9)) s"
        } else if age > 15 {
            verdict = Verdict(code: .warmUp, evidence: ["growth slows down as after a start"])
            summary = "warm-up"
        }
        return WorkerStatus(
            number: life.number, phase: draining ? .draining : age < 2 ? .starting : .serving, process: life.process,
            startedAt: moment(life.born),
            latest: Sample(
                at: Uptime(seconds: 5000 + second), rss: mebibytes(size), cpuSeconds: age * 0.3, threads: 6,
                fileDescriptors: 31, requests: max(0, age - 2) * 188),
            cpuCores: draining ? 0.02 : 0.31 + 0.05 * noise(life.number, second), verdict: verdict, summary: summary)
    }

    // MARK: - Answers

    private func moment(_ second: Double) -> Moment {
        Moment(
            uptime: Uptime(seconds: 5000 + second),
            wall: WallTime(milliseconds: origin.milliseconds + Int64(second * 1000)))
    }

    private func mebibytes(_ count: Double) -> ByteCount { ByteCount(Int64(count * 1_048_576)) }

    private func cacheMebibytes(_ slot: Int, _ second: Double) -> Double {
        110 + 150 * (1 - exp(-(second + Double(slot) * 300) / 700)) + 3 * noise(UInt32(slot + 90), second)
    }

    func overview(at step: Int) -> Overview {
        let second = Double(step)
        let slots = (0..<2).map { lives(slot: $0, at: second) }
        let leaking = slots.flatMap { lives in
            lives.map { leakingWorker($0, second, draining: lives.count == 2 && $0 == lives[0]) }
        }
        let filling = (0..<2).map { slot in
            WorkerStatus(
                number: UInt32(slot + 1), phase: .serving, process: cacheProcess(slot), startedAt: moment(-3000),
                latest: Sample(
                    at: Uptime(seconds: 5000 + second), rss: mebibytes(cacheMebibytes(slot, second)),
                    requests: 1_204_881 + second * 96),
                cpuCores: 0.12 + 0.03 * noise(UInt32(slot), second),
                verdict: Verdict(
                    code: slot == 0 ? .cacheFill : .steady,
                    evidence: slot == 0 ? ["growth bends towards a ceiling of about 262 MiB"] : []),
                summary: slot == 0 ? "cache fill: 2.1 MiB/h, ceiling near 262 MiB" : "steady")
        }
        let recycles = slots.reduce(0) { $0 + Int(($1.last?.number ?? 1) - 1) / 2 }
        let registrar = ServiceStatus(
            name: "registrar", address: "127.0.0.1:8080", desiredWorkers: 2, capacityFloor: 1,
            budget: .mebibytes(256), recycles: recycles, recycling: leaking.count > 2,
            workers: leaking.sorted { $0.number < $1.number })
        let catalogue = ServiceStatus(
            name: "catalogue", address: "127.0.0.1:8090", desiredWorkers: 2, capacityFloor: 1,
            budget: .mebibytes(384), recycles: 0, recycling: false, workers: filling)
        return Overview(
            at: moment(second),
            oakum: OakumStatus(
                version: "0.1.0", pid: 3911, keeperPID: 3908, startedAt: moment(-40), observeOnly: false,
                paused: false, rss: mebibytes(27.4), problems: []),
            services: [registrar, catalogue])
    }

    private func cacheProcess(_ slot: Int) -> ProcessIdentity {
        ProcessIdentity(pid: 3950 + Int32(slot), startTicks: 20_000 + UInt64(slot))
    }

    func history(_ service: String, through last: Int) -> History {
        func point(_ second: Double, _ size: Double) -> HistoryPoint {
            HistoryPoint(at: moment(second).wall, floor: mebibytes(size - 0.4), peak: mebibytes(size))
        }
        if service == "catalogue" {
            let workers = (0..<2).map { slot in
                WorkerHistory(
                    number: UInt32(slot + 1), process: cacheProcess(slot),
                    points: (0...last).map { point(Double($0), cacheMebibytes(slot, Double($0))) })
            }
            return History(service: service, budget: .mebibytes(384), workers: workers)
        }
        var byNumber: [UInt32: WorkerHistory] = [:]
        for step in 0...last {
            for life in (0..<2).flatMap({ lives(slot: $0, at: Double(step)) }) {
                byNumber[life.number, default: WorkerHistory(number: life.number, process: life.process, points: [])]
                    .points.append(point(Double(step), leakingMebibytes(life, Double(step))))
            }
        }
        return History(
            service: service, budget: .mebibytes(256), workers: byNumber.values.sorted { $0.number < $1.number })
    }

    func events(through last: Int) -> [EventRecord] {
        var all: [(Double, EventKind, UInt32?, String, [String: String])] = [
            (-40, .watchStarted, nil, "watching 2 services, 4 workers", [:])
        ]
        for slot in 0..<2 {
            var second = 0.0
            while second <= Double(last) + Self.life {
                if let life = lives(slot: slot, at: second).last, life.born >= 0 { story(life, &all) }
                second += Self.life
            }
        }
        let told = all.filter { $0.0 <= Double(last) }.sorted { $0.0 < $1.0 }
        return told.enumerated().map { index, entry in
            EventRecord(
                id: Int64(index + 1),
                event: Event(
                    kind: entry.1, at: moment(entry.0), service: "registrar", worker: entry.2, message: entry.3,
                    facts: entry.4))
        }
    }

    private func story(_ life: Life, _ all: inout [(Double, EventKind, UInt32?, String, [String: String])]) {
        let old = life.number - 2
        let (new, successor) = (life.number, ["successor": "\(life.number)"])
        all.append(
            (
                life.born, .recycleStarted, old,
                "registrar/\(old) is replaced by registrar/\(new): at 85 % of its budget", successor
            ))
        all.append((life.born + 2, .workerReady, new, "registrar/\(new) serves, 1.4 s after its start", [:]))
        all.append(
            (
                life.born + Self.overlap, .recycleFinished, old,
                "registrar/\(new) took over from registrar/\(old) in 5.0 s; that buys about 4 min, it does not fix the leak",
                successor
            ))
        all.append(
            (life.born + 46, .verdict, new, "registrar/\(new): leak, 0.78 MiB/s, budget reached in 3–4 min", [:]))
    }
}
