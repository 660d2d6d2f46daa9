internal import Glibc

/// Finds the window's share for W-TinyLFU by watching what a change brings. Pure arithmetic: hits in, share out.
///
/// Two laws, by size. Up to 4,096 entries it climbs the hit rate: a step in one direction, kept while the rate does not
/// fall, turned when it does, smaller each time, and started anew when the rate jumps. Above, the hit rate of one sample
/// says too little; there the share moves towards the part that earns more hits per entry.
struct WindowClimber {
    enum Event { case windowHit, mainHit, miss }

    static let smallestShare = 0.01
    static let largestShare = 0.8
    static let reactiveLimit = 4_096

    private(set) var windowShare = 0.01
    private var entries: Int
    private var step: Double
    private var previousRate = -1.0
    private var windowHits = 0
    private var mainHits = 0
    private var requests = 0

    init(entries: Int) {
        self.entries = max(entries, 1)
        step = 0.0625
    }

    mutating func resize(entries: Int) { self.entries = max(entries, 1) }

    mutating func note(_ event: Event) {
        requests += 1
        switch event {
        case .windowHit: windowHits += 1
        case .mainHit: mainHits += 1
        case .miss: break
        }
    }

    /// - Parameter windowDensityShare: the window's part of the entries, 0 to 1.
    mutating func step(windowDensityShare share: Double) {
        let isReactive = entries <= WindowClimber.reactiveLimit
        guard requests >= entries * (isReactive ? 10 : 4) else { return }
        if isReactive { climbByRate() } else { climbByDensity(share) }
        windowHits = 0
        mainHits = 0
        requests = 0
    }

    private mutating func climbByRate() {
        let rate = Double(windowHits + mainHits) / Double(requests)
        defer { previousRate = rate }
        guard previousRate >= 0 else { return move(by: step) }
        let change = rate - previousRate
        if change < 0 { step = -step }
        let restart = 0.0625
        step = abs(change) >= 0.05 ? (step < 0 ? -restart : restart) : step * (entries <= 512 ? 0.995 : 0.98)
        move(by: step)
    }

    private mutating func climbByDensity(_ share: Double) {
        let window = (Double(windowHits) + 0.5) / max(share, 1e-6)
        let main = (Double(mainHits) + 0.5) / max(1 - share, 1e-6)
        let error = log(window / main)
        let size = min(0.3, abs(error) * 0.03)
        move(by: error < 0 ? -size : size)
        windowShare = max(windowShare, 0.02)
    }

    private mutating func move(by amount: Double) {
        windowShare = min(max(windowShare + amount, WindowClimber.smallestShare), WindowClimber.largestShare)
    }
}
