import OakumAPI
import OakumModel

/// Data for the fake control plane.
enum Samples {
    static let start = WallTime(milliseconds: 1_763_000_000_000)

    static func moment(_ seconds: Double) -> Moment {
        Moment(
            uptime: Uptime(seconds: 5000 + seconds),
            wall: WallTime(milliseconds: start.milliseconds + Int64(seconds * 1000)))
    }

    static let leak = Verdict(
        code: .leak, onsetSeconds: 12, decidedSeconds: 41,
        slope: Estimate(estimate: 820_000, low: 700_000, high: 940_000), timeToLimit: TimeToLimit(low: 95, high: 128),
        evidence: ["the floor of memory rose by 0.78 MiB/s over 60 s", "growth follows requests answered"])

    static func worker(
        _ number: UInt32, pid: Int32, mebibytes: Double, verdict: Verdict = Verdict(code: .steady),
        phase: WorkerPhase = .serving, summary: String = "steady", startedAt: Double = 0
    ) -> WorkerStatus {
        WorkerStatus(
            number: number, phase: phase, process: ProcessIdentity(pid: pid, startTicks: UInt64(pid) * 100),
            startedAt: moment(startedAt),
            latest: Sample(
                at: Uptime(seconds: 5000), rss: ByteCount(Int64(mebibytes * 1_048_576)), cpuSeconds: 4.5, threads: 6,
                fileDescriptors: 31, requests: 10_421),
            cpuCores: 0.31, verdict: verdict, summary: summary)
    }

    static func service(_ name: String, workers: [WorkerStatus]) -> ServiceStatus {
        ServiceStatus(
            name: name, address: "127.0.0.1:8080", desiredWorkers: 2, capacityFloor: 1, budget: .mebibytes(256),
            recycles: 3, recycling: false, workers: workers)
    }

    static func overview(_ services: [ServiceStatus]) -> Overview {
        Overview(
            at: moment(60),
            oakum: OakumStatus(
                version: "0.1.0", pid: 4242, keeperPID: 4240, startedAt: moment(0), observeOnly: false, paused: false,
                rss: .mebibytes(31), problems: []),
            services: services)
    }

    static func state() -> FakeControlPlane.State {
        let workers = [
            worker(
                7, pid: 901, mebibytes: 181.4, verdict: leak, summary: "leak: 0.78 MiB/s, budget reached in 95 s–2 min"),
            worker(8, pid: 902, mebibytes: 64.2),
        ]
        var state = FakeControlPlane.State(overview: overview([service("registrar", workers: workers)]))
        state.histories["registrar"] = History(
            service: "registrar", budget: .mebibytes(256),
            workers: workers.map { worker in
                WorkerHistory(
                    number: worker.number, process: worker.process,
                    points: (0..<60).map { step in
                        let rss = ByteCount(Int64(40 + step * 2) << 20)
                        return HistoryPoint(at: moment(Double(step)).wall, floor: rss, peak: rss + .mebibytes(1))
                    })
            })
        state.events = [
            event(1, .watchStarted, 0, "watching 1 service"),
            event(2, .verdict, 41, "registrar/7: leak: 0.78 MiB/s", verdict: leak),
        ]
        return state
    }

    static func event(
        _ id: Int64, _ kind: EventKind, _ seconds: Double, _ message: String, verdict: Verdict? = nil,
        worker: UInt32? = 7
    ) -> EventRecord {
        EventRecord(
            id: id,
            event: Event(
                kind: kind, at: moment(seconds), service: "registrar", worker: worker,
                process: ProcessIdentity(pid: 901, startTicks: 90_100), message: message, verdict: verdict,
                facts: ["rss_bytes": "190211686"]))
    }
}
