/// What a diagnosis can name. Raw values are stored and shown: they may be added to, never renamed.
package enum CauseCode: String, Hashable, Sendable, Codable, CaseIterable {
    /// Memory grows without a bound.
    case memory
    /// Memory grows because a bounded cache fills: no incident.
    case cacheFill = "cache_fill"
    /// Requests cost more CPU than before.
    case cpu
    /// The same, since a release.
    case cpuBoundDeploy = "cpu_bound_deploy"
    /// A release broke something, and no resource shows what.
    case deploy
    case trafficSurge = "traffic_surge"
    case slowDependency = "slow_dependency"
    case diskFull = "disk_full"
    case fileDescriptors = "file_descriptors"
    case network
    /// Others on the machine took its memory, or its processors.
    case hostMemory = "host_memory"
    case hostProcessor = "host_cpu"
    case unknown

    /// For people, in the middle of a sentence.
    package var words: String {
        switch self {
        case .memory: "memory"
        case .cacheFill: "a cache that fills"
        case .cpu: "CPU-bound work"
        case .cpuBoundDeploy: "a CPU-bound deploy"
        case .deploy: "a deploy"
        case .trafficSurge: "a traffic surge"
        case .slowDependency: "a slow dependency"
        case .diskFull: "a full disk"
        case .fileDescriptors: "descriptors that are not closed"
        case .network: "the network"
        case .hostMemory: "the host's memory, taken by others"
        case .hostProcessor: "the host's processors, taken by others"
        case .unknown: "not known"
        }
    }

    /// What this cause may bring about: `up` when it can raise the signal, or lower it.
    func mayChange(_ kind: SignalKind, up: Bool) -> Bool {
        switch (kind, up) {
        // Where clients wait for answers before they ask again, anything slow lowers the rate.
        case (.requests, false): return self != .trafficSurge && self != .cacheFill
        case (.requests, true): return self == .trafficSurge
        default: break
        }
        let raised: Set<SignalKind>
        switch self {
        case .memory:
            raised = [
                .cpu, .cpuPerRequest, .latency, .errors, .work, .memoryPressure, .ioPressure, .cpuPressure, .inFlight,
                .hostMemory,
            ]
        case .cacheFill: raised = [.memory, .hostMemory]
        case .cpu, .cpuBoundDeploy:
            raised = [.cpuPerRequest, .cpu, .work, .latency, .errors, .cpuPressure, .inFlight, .threads]
        case .deploy, .unknown: raised = Set(SignalKind.allCases).subtracting([.diskFree, .network, .hostMemory])
        case .trafficSurge:
            raised = [
                .cpu, .memory, .latency, .errors, .fileDescriptors, .threads, .work, .inFlight, .cpuPressure,
                .memoryPressure, .ioPressure, .hostMemory, .dependencyLatency,
            ]
        case .slowDependency:
            raised = [
                .latency, .errors, .memory, .fileDescriptors, .threads, .inFlight, .hostMemory, .dependencyErrors,
                .dependencyLatency,
            ]
            if kind == .cpu { return !up }
        case .diskFull: raised = [.errors, .latency, .ioPressure, .inFlight]
        case .fileDescriptors: raised = [.errors, .latency, .memory]
        case .network: raised = [.latency, .errors, .inFlight, .dependencyLatency, .dependencyErrors]
        case .hostMemory: raised = [.latency, .errors, .ioPressure, .memoryPressure, .hostMemory, .inFlight]
        case .hostProcessor: raised = [.latency, .errors, .inFlight, .cpuPressure]
        }
        return raised.contains(kind) && up == SignalTraits.of(kind).worseIsUp
    }
}
