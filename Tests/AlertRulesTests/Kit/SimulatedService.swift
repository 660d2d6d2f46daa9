import AlertRules
import Glibc
import OakumModel
import OakumTestKit

/// A service as its readings show it: workers with counters, under a load that a test describes. Seeded.
struct SimulatedService {
    /// What happens in a step, of all workers together.
    struct Load {
        var requestsPerSecond = 100.0
        /// 0 to 1.
        var failing = 0.0
        /// Share of requests slower than a second.
        var slow = 0.0
        /// Of the business metric, per second.
        var signUpsPerSecond = 0.0
    }

    struct Worker {
        var number: UInt32
        var process: ProcessIdentity
        var startedAt: Uptime?
        var requests = 0.0
        var failures = 0.0
        var count = 0.0
        var quick = 0.0
        var seconds = 0.0
        var signUps = 0.0
        var cpuSeconds = 0.0
        var rss = ByteCount.mebibytes(100)
        var tells = true
        var answers = true
    }

    static let metric = "sign-ups"

    var generator: SeededGenerator
    var now: Moment
    var workers: [Worker] = []
    var load = Load()
    var budget = ByteCount.mebibytes(256)
    var coresUsed = 0.3
    var unaskedEnds = 0
    var kills = 0
    var fileDescriptors = 40
    /// Their counters are not in `/metrics` until they are told here.
    var tellsSignUps = true
    private var nextNumber: UInt32 = 1

    init(seed: UInt64, workers count: Int = 2, uptime: Double = 1_000, wall: Int64 = 1_699_833_600_000) {
        generator = SeededGenerator(seed: seed)
        now = Moment(uptime: Uptime(seconds: uptime), wall: WallTime(milliseconds: wall))
        for _ in 0..<count { start(adopted: true) }
    }

    mutating func start(adopted: Bool = false) {
        let process = ProcessIdentity(pid: Int32(1_000 + nextNumber), startTicks: UInt64(nextNumber) * 7)
        var worker = Worker(number: nextNumber, process: process, startedAt: adopted ? nil : now.uptime)
        if adopted {
            worker.requests = 1e6
            worker.failures = 900
            worker.count = 1e6
            worker.quick = 0.999e6
            worker.seconds = 3e4
            worker.signUps = 12_345
            worker.cpuSeconds = 4_000
        }
        workers.append(worker)
        nextNumber += 1
    }

    /// The oldest goes, a new one comes.
    mutating func replace() {
        workers.removeFirst()
        start()
    }

    mutating func advance(_ seconds: Double) {
        now.uptime = now.uptime + seconds
        now.wall.milliseconds += Int64(seconds * 1_000)
        guard !workers.isEmpty else { return }
        let share = seconds / Double(workers.count)
        for index in workers.indices where workers[index].answers {
            let requests = generator.poisson(load.requestsPerSecond * share)
            let failed = generator.binomial(requests, load.failing)
            let late = generator.binomial(requests, load.slow)
            workers[index].requests += requests
            workers[index].failures += failed
            workers[index].count += requests
            workers[index].quick += requests - late
            workers[index].seconds += (requests - late) * 0.03 + late * 2
            workers[index].signUps += generator.poisson(load.signUpsPerSecond * share)
            workers[index].cpuSeconds += max(0, coresUsed * share * generator.normal(mean: 1, deviation: 0.1))
        }
    }

    var reading: ServiceReading {
        ServiceReading(
            at: now, workers: workers.map(read), desired: max(2, workers.count), unaskedEnds: unaskedEnds,
            outOfMemoryKills: kills, cores: 4)
    }

    mutating func step(_ seconds: Double = 2) -> ServiceReading {
        advance(seconds)
        return reading
    }

    private func read(_ worker: Worker) -> WorkerReading {
        let counters = WorkerCounters(
            requests: worker.requests, failures: worker.failures, durationSum: worker.seconds,
            durationCount: worker.count,
            durations: [
                DurationBucket(bound: 0.5, count: worker.quick * 0.98), DurationBucket(bound: 1, count: worker.quick),
            ],
            inFlight: 2, business: tellsSignUps ? [Self.metric: worker.signUps] : [:])
        let told = worker.tells && worker.answers
        return WorkerReading(
            number: worker.number, process: worker.process, startedAt: worker.startedAt,
            probe: worker.answers ? .answered : .failed, wasAsked: true, counters: told ? counters : nil,
            cpuSeconds: worker.cpuSeconds, rss: worker.rss, budget: budget, fileDescriptors: fileDescriptors,
            fileDescriptorLimit: 1_024)
    }
}

extension SeededGenerator {
    /// Counts of events that come independently: by inversion when few are expected, else by Hörmann's transformed rejection
    /// (Insurance: Mathematics and Economics 12, 1993), exact in the tails too.
    mutating func poisson(_ mean: Double) -> Double {
        guard mean > 0 else { return 0 }
        guard mean < 12 else { return rejectedPoisson(mean) }
        var product = 1.0
        var count = -1.0
        let limit = exp(-mean)
        repeat {
            product *= double(0..<1)
            count += 1
        } while product > limit
        return count
    }

    private mutating func rejectedPoisson(_ mean: Double) -> Double {
        let width = 0.931 + 2.53 * mean.squareRoot()
        let slope = -0.059 + 0.02483 * width
        let inverse = 1.1239 + 1.1328 / (width - 3.4)
        let quick = 0.9277 - 3.6224 / (width - 2)
        while true {
            let first = double(0..<1) - 0.5
            let second = double(0..<1)
            let distance = 0.5 - abs(first)
            let count = ((2 * slope / distance + width) * first + mean + 0.43).rounded(.down)
            if distance >= 0.07, second <= quick { return count }
            if count < 0 || (distance < 0.013 && second > distance) { continue }
            let bound = log(second) + log(inverse) - log(slope / (distance * distance) + width)
            if bound <= count * log(mean) - mean - lgamma(count + 1) { return count }
        }
    }

    mutating func binomial(_ count: Double, _ share: Double) -> Double {
        guard share > 0 else { return 0 }
        guard share < 1 else { return count }
        guard count * share > 25, count * (1 - share) > 25 else {
            if count > 200 { return min(count, poisson(count * share)) }
            var hits = 0.0
            for _ in 0..<Int(count) where chance(share) { hits += 1 }
            return hits
        }
        let deviation = (count * share * (1 - share)).squareRoot()
        return min(count, max(0, normal(mean: count * share, deviation: deviation).rounded()))
    }
}

/// Runs a service through a rule book and keeps what is told.
final class Watched {
    var service: SimulatedService
    var book: RuleBook
    private(set) var told: [Alert] = []
    private(set) var buckets: [BusinessBucket] = []

    init(_ service: SimulatedService, _ settings: AlertSettings = AlertSettings(), zones: [String?: ZoneOffsets] = [:])
    {
        self.service = service
        book = RuleBook(service: "registrar", settings: settings, zones: zones)
    }

    /// Returns what was told meanwhile.
    @discardableResult
    func run(_ seconds: Double, every step: Double = 2) -> [Alert] {
        var news: [Alert] = []
        let end = service.now.uptime + seconds
        while service.now.uptime < end {
            news += read(service.step(step))
        }
        return news
    }

    /// Runs until an alert of this kind and status is told, at most so many seconds; nil when none was.
    func run(
        until kind: AlertKind, _ status: Alert.Status = .firing, atMost seconds: Double, every step: Double = 2
    ) -> Alert? {
        let end = service.now.uptime + seconds
        while service.now.uptime < end {
            if let alert = read(service.step(step)).first(where: { $0.kind == kind && $0.status == status }) {
                return alert
            }
        }
        return nil
    }

    @discardableResult
    func read(_ reading: ServiceReading) -> [Alert] {
        let news = book.add(reading)
        told += news.alerts
        buckets += news.buckets.values
        return news.alerts
    }
}
