package import Diagnosis
package import OakumModel

/// The state of everything watched, at one instant. The JSON of `oakum status --json` and of `GET /api/v1/overview`.
package struct Overview: Hashable, Sendable, Codable {
    package var at: Moment
    package var oakum: OakumStatus
    package var services: [ServiceStatus]

    package init(at: Moment, oakum: OakumStatus, services: [ServiceStatus]) {
        self.at = at
        self.oakum = oakum
        self.services = services
    }
}

/// Oakum itself.
package struct OakumStatus: Hashable, Sendable, Codable {
    package var version: String
    package var pid: Int32
    package var keeperPID: Int32?
    package var startedAt: Moment
    /// Verdicts, no acts.
    package var observeOnly: Bool
    /// All acts are stopped until `oakum pause --off`.
    package var paused: Bool
    package var rss: ByteCount?
    /// What does not work right now (a journal on a full disk, say), in words. Empty when all is well.
    package var problems: [String]

    package init(
        version: String, pid: Int32, keeperPID: Int32?, startedAt: Moment, observeOnly: Bool, paused: Bool,
        rss: ByteCount?, problems: [String]
    ) {
        self.version = version
        self.pid = pid
        self.keeperPID = keeperPID
        self.startedAt = startedAt
        self.observeOnly = observeOnly
        self.paused = paused
        self.rss = rss
        self.problems = problems
    }

    private enum CodingKeys: String, CodingKey {
        case version, pid, paused, problems
        case keeperPID = "keeper_pid"
        case startedAt = "started_at"
        case observeOnly = "observe_only"
        case rss = "rss_bytes"
    }
}

/// One service.
package struct ServiceStatus: Hashable, Sendable, Codable {
    package var name: String
    /// Where it listens, as people would type it: "127.0.0.1:8080".
    package var address: String
    package var desiredWorkers: Int
    package var capacityFloor: Int
    /// The memory one worker may hold.
    package var budget: ByteCount
    package var recycles: Int
    package var recycling: Bool
    /// Its workers carry the sampler, so that their heaps can be looked into; nil when it is not known.
    package var samplesHeap: Bool?
    /// What users feel or operators see is wrong, leak or not, in words; nil while nothing is.
    package var symptoms: [String]?
    /// What is behind them when no worker leaks; nil while nothing is wrong, or it is not known yet.
    package var diagnosis: Diagnosis?
    package var workers: [WorkerStatus]

    package init(
        name: String, address: String, desiredWorkers: Int, capacityFloor: Int, budget: ByteCount, recycles: Int,
        recycling: Bool, samplesHeap: Bool? = nil, symptoms: [String]? = nil, diagnosis: Diagnosis? = nil,
        workers: [WorkerStatus]
    ) {
        self.symptoms = symptoms
        self.diagnosis = diagnosis
        self.samplesHeap = samplesHeap
        self.name = name
        self.address = address
        self.desiredWorkers = desiredWorkers
        self.capacityFloor = capacityFloor
        self.budget = budget
        self.recycles = recycles
        self.recycling = recycling
        self.workers = workers
    }

    private enum CodingKeys: String, CodingKey {
        case name, address, recycles, recycling, symptoms, diagnosis, workers
        case desiredWorkers = "desired_workers"
        case capacityFloor = "capacity_floor"
        case budget = "budget_bytes"
        case samplesHeap = "samples_heap"
    }
}

/// Where a worker stands in its life.
package enum WorkerPhase: String, Hashable, Sendable, Codable {
    case starting
    case serving
    case draining
    /// Dead; the keeper starts it again after its backoff.
    case down
}

/// One worker.
package struct WorkerStatus: Hashable, Sendable, Codable {
    package var number: UInt32
    package var phase: WorkerPhase
    package var process: ProcessIdentity?
    package var startedAt: Moment?
    package var latest: Sample?
    /// Cores in use over the last samples; nil before there are two.
    package var cpuCores: Double?
    package var verdict: Verdict
    /// The verdict and the forecast as one sentence.
    package var summary: String
    /// What leaks in it, the largest site first; nil when nobody looked or nothing could be named.
    package var leaks: [HeapFinding]?
    /// What came first, what follows from it and what is ruled out; nil while nothing is wrong.
    package var diagnosis: Diagnosis?

    package init(
        number: UInt32, phase: WorkerPhase, process: ProcessIdentity?, startedAt: Moment?, latest: Sample?,
        cpuCores: Double?, verdict: Verdict, summary: String, leaks: [HeapFinding]? = nil,
        diagnosis: Diagnosis? = nil
    ) {
        self.leaks = leaks
        self.diagnosis = diagnosis
        self.number = number
        self.phase = phase
        self.process = process
        self.startedAt = startedAt
        self.latest = latest
        self.cpuCores = cpuCores
        self.verdict = verdict
        self.summary = summary
    }

    private enum CodingKeys: String, CodingKey {
        case number, phase, process, latest, verdict, summary, leaks, diagnosis
        case startedAt = "started_at"
        case cpuCores = "cpu_cores"
    }
}
