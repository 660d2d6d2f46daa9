import Diagnosis
package import OakumAPI
package import OakumModel

extension Engine {
    /// Asks for a diagnosis of one worker from what is known at this moment.
    func diagnose(_ worker: WorkerID, _ process: ProcessIdentity) {
        let now = host.now().uptime
        guard let watch = services[worker.service]?.watches[worker.number], watch.process == process else { return }
        var observations = watch.observations(machine: machine.signals, until: now)
        observations.deploys = services[worker.service]?.trouble.deploys
        diagnosisJobs.yield(
            DiagnosisJob(service: worker.service, number: worker.number, process: process, observations: observations))
    }

    /// The same of a service as a whole.
    func diagnoseService(_ service: String) {
        let observations = services[service]?.troubleObservations(machine: machine, until: host.now().uptime)
        guard let observations else { return }
        diagnosisJobs.yield(DiagnosisJob(service: service, observations: observations))
    }

    /// One after the other, off the engine: each takes milliseconds.
    func followDiagnoses() async -> Ending? {
        for await job in diagnoses {
            let diagnosis = await Self.diagnosis(job.observations, logMining, of: job.service)
            update(job.service) { watch, now in
                guard let number = job.number, let process = job.process else {
                    return watch.troubleDiagnosed(diagnosis, at: now)
                }
                return watch.diagnosed(number, process, diagnosis, at: now)
            }
        }
        return nil
    }

    @concurrent
    private static func diagnosis(
        _ observations: Observations, _ mining: LogMining, of service: String
    ) async -> Diagnosis {
        var observations = observations
        observations.logs = mining.patterns(of: service)
        return Diagnosis(observations)
    }

    /// Which program a worker runs: another one than before is a release.
    func identify(_ worker: WorkerID, _ process: ProcessIdentity) {
        guard let program = programs?.program(of: process) else { return }
        update(worker.service) { $0.identified(worker.number, process, program, at: $1) }
    }

    /// Somebody tells of a release, or of another change that may matter: it is recorded, and weighed in diagnoses.
    ///
    /// - Parameters:
    ///   - service: nil: it concerns all.
    ///   - moment: when it happened; nil: now.
    /// - Throws: `notFound` for a service that there is not, `invalid` for a text that is empty or longer than 200 characters.
    package func noteDeploy(
        service: String?, what: String, at moment: Moment? = nil
    ) throws(ControlError) -> CommandOutcome {
        let text = String(what.filter { !$0.isNewline }.prefix(200))
        guard text.contains(where: { !$0.isWhitespace }), what.unicodeScalars.count <= 200 else {
            throw .invalid("a release is told in 1 to 200 characters, such as \"1.4.2\"")
        }
        if let service, services[service] == nil { throw unknownService(service) }
        let names = service.map { [$0] } ?? services.keys.sorted()
        for name in names { update(name) { $0.deployed(text, at: moment ?? $1) } }
        return CommandOutcome(message: "noted for \(names.joined(separator: ", ")): release \(text)")
    }
}
