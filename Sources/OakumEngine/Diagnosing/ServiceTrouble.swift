package import Diagnosis
package import OakumModel

/// What is wrong with one service, leak or not: its symptoms, its releases, the diagnosis, and what people were told of it.
/// Pure: readings and diagnoses in, events out.
package struct ServiceTrouble: Sendable {
    /// Releases that are remembered; the oldest go first.
    package static let deployLimit = 32
    /// A diagnosis is made anew so often while there is a symptom, seconds.
    private static let interval = 10.0
    /// Symptoms that began longer ago are not weighed again: what was before them goes out of sight.
    private static let longest = 1_200.0
    /// After so long without trouble the next one is another story: seconds.
    private static let quietSeconds = 600.0
    /// What a worker costs in its first seconds is its own set-up.
    private static let settleSeconds = 15.0

    private let service: String
    private(set) var record = ServiceRecord()
    private var watch = SymptomWatch()
    /// Releases since Oakum watches, and what the journal tells of earlier ones.
    package private(set) var deploys: [Deploy] = []
    private var program: ProgramIdentity?
    /// Living processes whose program is known: each counts once.
    private var identified: Set<ProcessIdentity> = []
    /// Of the program that an earlier `oakum` saw last.
    private var earlierProgram: String?
    /// Starts of workers within the window.
    private var starts: [Double] = []
    /// Of the symptoms there are now; nil while there are none, or nothing is known of their cause.
    package private(set) var diagnosis: Diagnosis?
    private var askedAt: Uptime?
    /// The cause that the latest diagnosis gave: told when the next one gives it again.
    private var candidate: CauseCode?
    /// What was told since the last quiet time.
    private var course = DiagnosisCourse()
    private var toldSymptoms: Set<String> = []
    private var toldSentence: String?
    private var troubleAt: Uptime?
    private var leakAt: Uptime?

    package init(service: String) {
        self.service = service
    }

    package var symptoms: [Symptom] { watch.symptoms }

    /// Worth closer readings.
    package var isSuspicious: Bool { watch.isSuspicious }

    // MARK: - Readings

    package mutating func add(memory: [ByteCount], cores: [Double], at now: Uptime) {
        record.add(memory: memory, cores: cores, at: now)
    }

    package mutating func add(_ measures: ServiceMeasures, of process: ProcessIdentity, isFresh: Bool) {
        record.add(measures, of: process, isFresh: isFresh)
    }

    package mutating func started(at now: Uptime) {
        starts.append(now.seconds)
        if starts.count > Self.deployLimit { starts.removeFirst() }
    }

    package mutating func forget(_ process: ProcessIdentity) {
        record.forget(process)
        identified.remove(process)
    }

    /// All workers were asked. Tells of symptoms that began and ended.
    package mutating func closeRound(machine: MachineReading?, at now: Moment) -> [Event] {
        guard var reading = record.closeRound(at: now.uptime) else { return [] }
        reading.isSettling = starts.last.map { now.uptime.seconds - $0 < Self.settleSeconds } ?? false
        reading[.memoryPressure] = machine?.memoryPressure
        reading[.ioPressure] = machine?.ioPressure
        for (path, free) in machine?.diskFree ?? [:] { reading[.diskFree, name: path] = free }
        let events = watch.add(reading).map { event($0, at: now) }
        guard symptoms.isEmpty else { return events }
        (diagnosis, candidate, askedAt) = (nil, nil, nil)
        // What comes next is another story, unless a leak's is not over.
        if leakAt.map({ now.uptime - $0 > Self.quietSeconds }) ?? true {
            (course, toldSymptoms) = (DiagnosisCourse(), [])
        }
        return events
    }

    private func event(_ change: SymptomWatch.Change, at now: Moment) -> Event {
        let seconds = now.uptime.seconds
        let (kind, symptom, text): (EventKind, Symptom, String) =
            switch change {
            case .began(let symptom): (.symptom, symptom, symptom.sentence)
            case .ended(let symptom): (.symptomOver, symptom, symptom.ending(at: seconds))
            case .becameUsual(let symptom): (.symptomOver, symptom, symptom.habit(at: seconds))
            }
        var facts = ["signal": symptom.kind.rawValue, "since_s": Words.fixed(seconds - symptom.since, 1)]
        if let name = symptom.name { facts["name"] = name }
        return Event(kind: kind, at: now, service: service, message: "\(service): \(text)", facts: facts)
    }

    // MARK: - Diagnosis

    /// A worker leaks: that is another's story, and no symptom is looked into beside it.
    package mutating func leaks(at now: Uptime) {
        noteTrouble(at: now)
        leakAt = now
        diagnosis = nil
    }

    /// True when there are symptoms without a leak, and a diagnosis is due.
    package mutating func asksForDiagnosis(at now: Uptime) -> Bool {
        guard let newest = symptoms.last, now.seconds - newest.since < Self.longest else { return false }
        if let leakAt, now - leakAt < Self.quietSeconds { return false }
        let interval = diagnosis?.outcome == .cause ? Self.interval : Self.interval / 2
        if let askedAt, now - askedAt < interval { return false }
        noteTrouble(at: now)
        askedAt = now
        return true
    }

    /// What is known at this moment. The window holds about four times as much of the time before the symptoms as of theirs.
    package func observations(
        machine: MachineRecord, verdict: Verdict?, budget: ByteCount, until now: Uptime
    ) -> Observations? {
        guard let since = symptoms.first?.since else { return nil }
        let length = now.seconds - since
        let begin = since - min(max(4 * length, 90), ServiceRecord.seconds)
        let signals = record.signals(since: begin) + machine.signals(since: begin)
        let first = signals.filter { $0.kind == .memory || $0.kind == .cpu }.compactMap { $0.points.first?.seconds }
            .min()
        return Observations(
            from: max(begin, first ?? begin), until: now.seconds, signals: signals,
            restarts: starts.filter { $0 > begin }, deploys: deploys, verdict: verdict, budget: budget)
    }

    /// What came of a diagnosis of the symptoms. A cause is told when two in a row give it.
    package mutating func diagnosed(_ found: Diagnosis, at now: Moment) -> [Event] {
        guard !symptoms.isEmpty else { return [] }
        if let leakAt, now.uptime - leakAt < Self.quietSeconds { return [] }
        let cause = found.outcome == .cause ? found.firstCause : nil
        defer { candidate = cause }
        // A cause that was told stays until another one is found.
        if diagnosis?.outcome == .cause, cause == nil { return [] }
        guard cause == candidate else { return [] }
        guard cause != nil else {
            diagnosis = found.outcome == .unknown ? found : nil
            return []
        }
        diagnosis = found
        return tell(found, of: nil, nil, at: now).map { [$0] } ?? []
    }

    /// What is told of a diagnosis, of one worker or of the service: another cause than before, or that more follows from it.
    /// The same sentence is told once.
    package mutating func tell(
        _ found: Diagnosis, of worker: UInt32?, _ process: ProcessIdentity?, at now: Moment
    ) -> Event? {
        let isOther = course.add(found)
        let seen = Set(found.consequences.map { "\($0.symptom.rawValue) \($0.name ?? "")" })
        guard isOther || (found.outcome == .cause && !seen.isSubset(of: toldSymptoms)) else { return nil }
        toldSymptoms = isOther ? seen : toldSymptoms.union(seen)
        guard found.summary != toldSentence else { return nil }
        toldSentence = found.summary
        let subject = worker.map { "\(WorkerID(service: service, number: $0))" } ?? service
        return found.event(of: subject, service, worker, process, course: course, at: now)
    }

    private mutating func noteTrouble(at now: Uptime) {
        if let troubleAt, now - troubleAt > Self.quietSeconds {
            course = DiagnosisCourse()
            toldSymptoms = []
            toldSentence = nil
        }
        troubleAt = now
    }

    // MARK: - Releases

    /// What an earlier `oakum` knew.
    package mutating func restore(deploys: [Deploy], program: String?) {
        self.deploys = deploys.suffix(Self.deployLimit)
        earlierProgram = program
    }

    /// Of the program that runs, for the journal.
    package var programKey: String? { program?.key }

    /// Of the program that runs, for people: "registrar, build 3f2a9c1e".
    package var programWords: String? { program.map { "\($0.name), \($0.version)" } }

    /// A worker runs this program. Another one than before is a release.
    package mutating func identified(
        _ worker: UInt32, _ process: ProcessIdentity, _ found: ProgramIdentity, at now: Moment
    ) -> Event? {
        guard identified.insert(process).inserted else { return nil }
        let before = program
        program = found
        let change: String?
        if let before {
            change = before.change(to: found)
        } else {
            change = earlierProgram.flatMap { $0 == found.key ? nil : "\(found.version), another one than before" }
        }
        guard let change else { return nil }
        return deploy(
            "\(found.name), \(found.version)", at: now, worker: worker,
            message: "\(WorkerID(service: service, number: worker)) runs another program: \(found.name), \(change)")
    }

    /// A release, told from outside or seen.
    package mutating func deploy(_ what: String, at now: Moment, worker: UInt32? = nil, message: String) -> Event {
        deploys.append(Deploy(seconds: now.uptime.seconds, release: what))
        deploys.sort { $0.seconds < $1.seconds }
        if deploys.count > Self.deployLimit { deploys.removeFirst() }
        var facts = ["release": what]
        facts["program"] = program?.key
        return Event(kind: .deploy, at: now, service: service, worker: worker, message: message, facts: facts)
    }
}
