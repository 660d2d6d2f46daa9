/// When a level is a symptom. All of it has to hold, for three readings and twenty seconds.
struct SymptomTraits {
    /// At least so many times what is usual (the median of the last half hour), and so much more.
    var factor = 1.0
    var more = 0.0
    /// Beyond nine tenths of the readings of that time by so much: what happens now and then is no news.
    var overHigh = 1.0
    /// At least (at most, where less is worse), whatever is usual.
    var least = 0.0
    /// Less is worse, and there is a limit instead of a usual level.
    var isFloor = false
    /// Of a floor: above this it is over.
    var cleared = 0.0
    /// Follows from how much is asked of the service, so that it means nothing while nobody asks or workers set up.
    var followsUse = false

    /// Nil: a signal of which no level is a symptom by itself.
    static func of(_ kind: SignalKind) -> SymptomTraits? {
        switch kind {
        case .latency: SymptomTraits(factor: 2, more: 0.02, overHigh: 1.5, followsUse: true)
        case .errors: SymptomTraits(factor: 3, more: 0.01, overHigh: 1.5, least: 0.02)
        case .cpu: SymptomTraits(factor: 2, more: 0.2, overHigh: 1.3, followsUse: true)
        case .inFlight: SymptomTraits(factor: 3, more: 20, overHigh: 1.5, followsUse: true)
        case .memoryPressure: SymptomTraits(factor: 2, overHigh: 1.5, least: 20)
        case .ioPressure: SymptomTraits(factor: 2, overHigh: 1.5, least: 40)
        case .diskFree: SymptomTraits(least: 0.03, isFloor: true, cleared: 0.06)
        default: nil
        }
    }
}
