package import OakumModel

/// Reads processes. Everything here is cheap enough for once a second and a hundred workers.
package protocol HostReadings: Sendable {
    /// One sample of each process, in the order asked; nil where the process is gone or cannot be read.
    func sample(_ processes: [ProcessIdentity], at uptime: Uptime) -> [Sample?]
    /// Open descriptors of a process and their limit: a directory scan, so every 2 s at most. Nil when they cannot be counted.
    func descriptors(of process: ProcessIdentity) -> DescriptorReading?
    /// What all processes share: every 10 s at most. What cannot be read is nil in it.
    func machine() -> MachineReading
    /// The process this code runs in.
    var ownProcess: ProcessIdentity { get }
    /// Both clocks of the host.
    func now() -> Moment
}

/// Asks a worker over its own admin socket.
package protocol WorkerProbe: Sendable {
    /// True when the worker answers its readiness check well within `timeout` seconds.
    func isHealthy(adminSocket: String, path: String, timeout: Double) async -> Bool
    /// What the worker's `/metrics` tells of its work; nil when it does not answer, or with something else.
    func measures(adminSocket: String, timeout: Double) async -> ServiceMeasures?
    /// The same for alert rules, with the counters that are asked for.
    func tally(adminSocket: String, counting: [CounterChoice], timeout: Double) async -> WorkerTally?
}

extension WorkerProbe {
    package func tally(adminSocket: String, counting: [CounterChoice], timeout: Double) async -> WorkerTally? {
        await measures(adminSocket: adminSocket, timeout: timeout).map { WorkerTally(measures: $0) }
    }
}
