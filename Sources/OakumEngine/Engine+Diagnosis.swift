import Diagnosis
import OakumModel

extension Engine {
    /// Asks for a diagnosis from what is known at this moment.
    func diagnose(_ worker: WorkerID, _ process: ProcessIdentity) {
        let now = host.now().uptime
        guard let watch = services[worker.service]?.watches[worker.number], watch.process == process else { return }
        let observations = watch.observations(machine: machine.signals, until: now)
        diagnosisJobs.yield(DiagnosisJob(worker: worker, process: process, observations: observations))
    }

    /// One after the other, off the engine: each takes milliseconds.
    func followDiagnoses() async -> Ending? {
        for await job in diagnoses {
            let diagnosis = await Self.diagnosis(job.observations, logMining, of: job.worker.service)
            update(job.worker.service) { $0.diagnosed(job.worker.number, job.process, diagnosis, at: $1) }
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
}
