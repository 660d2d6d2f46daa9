/// What the diagnosis takes for granted about a kind of signal.
struct SignalTraits {
    enum Reduction {
        case floor
        case median
        case mean
    }

    /// Below both of these, in the unit of the signal and as a share of the level before, a change is nobody's concern.
    var leastChange: Double
    var leastShare: Double
    /// Readings are no finer than this; keeps a series without noise from having an infinite significance.
    var resolution: Double
    /// How many readings become one.
    var reduction: Reduction = .median
    /// Times spread over decades and are compared as ratios.
    var isLogarithmic = false
    /// Where worse is: up for most, down for what is left of something.
    var worseIsUp = true
    /// Begins anew with the process.
    var belongsToWorker = true

    static func of(_ kind: SignalKind) -> SignalTraits {
        switch kind {
        case .memory:
            SignalTraits(leastChange: 4_194_304, leastShare: 0.06, resolution: 65_536, reduction: .floor)
        case .cpu: SignalTraits(leastChange: 0.05, leastShare: 0.25, resolution: 0.01)
        case .latency: SignalTraits(leastChange: 0.002, leastShare: 0.4, resolution: 0.05, isLogarithmic: true)
        case .errors: SignalTraits(leastChange: 0.005, leastShare: 1, resolution: 0.0005, reduction: .mean)
        case .requests: SignalTraits(leastChange: 1, leastShare: 0.2, resolution: 0.1)
        case .inFlight: SignalTraits(leastChange: 4, leastShare: 0.5, resolution: 0.5)
        case .fileDescriptors: SignalTraits(leastChange: 16, leastShare: 0.25, resolution: 1)
        case .threads: SignalTraits(leastChange: 8, leastShare: 0.25, resolution: 1)
        case .work: SignalTraits(leastChange: 1, leastShare: 0.3, resolution: 0.1)
        case .cpuPerRequest: SignalTraits(leastChange: 0.000_05, leastShare: 0.25, resolution: 0.000_01)
        case .cpuPressure, .memoryPressure, .ioPressure:
            SignalTraits(leastChange: 5, leastShare: 0.5, resolution: 0.2, belongsToWorker: false)
        case .hostMemory:
            SignalTraits(
                leastChange: 0.05, leastShare: 0.1, resolution: 0.002, worseIsUp: false, belongsToWorker: false)
        case .diskFree:
            SignalTraits(
                leastChange: 0.02, leastShare: 0.05, resolution: 0.001, worseIsUp: false, belongsToWorker: false)
        case .network:
            SignalTraits(
                leastChange: 0.003, leastShare: 1, resolution: 0.0005, reduction: .mean, belongsToWorker: false)
        case .dependencyLatency:
            SignalTraits(
                leastChange: 0.002, leastShare: 0.4, resolution: 0.05, isLogarithmic: true, belongsToWorker: false)
        case .dependencyErrors:
            SignalTraits(
                leastChange: 0.005, leastShare: 1, resolution: 0.0005, reduction: .mean, belongsToWorker: false)
        }
    }

    /// Whether a change of levels is one that people would care about.
    func matters(from before: Double, to after: Double) -> Bool {
        guard abs(after - before) >= leastChange else { return false }
        let (low, high) = (min(abs(before), abs(after)), max(abs(before), abs(after)))
        return high >= low * (1 + leastShare)
    }
}
