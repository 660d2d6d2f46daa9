internal import Glibc

/// Finds the window's share for W-TinyLFU by watching what a change brings. Pure arithmetic: hits in, share out.
///
/// Two laws, by size, as Caffeine's design notes of 2026 tell them. Up to 4,096 entries it climbs the hit rate: a step in
/// one direction, kept while the rate does not fall, turned when it does, smaller each time, and started anew when the
/// rate jumps by five points (Einziger, Eytan, Friedman and Manes, "Adaptive software cache management", Middleware 2018).
/// A small cache needs longer samples, or it follows noise. Above 4,096 the hit rate of one sample says too little; there
/// the share moves towards the part that earns more hits per entry.
struct WindowClimber {
    enum Event { case windowHit, mainHit, miss }

    static let firstShare = 0.01
    static let largestShare = 0.8
    static let reactiveLimit = 4_096
    static let smallLimit = 512
    static let firstStep = 0.0625
    /// A change of the hit rate after which the search starts anew.
    static let jump = 0.05
    static let smallestShareByDensity = 0.02

    private(set) var windowShare = WindowClimber.firstShare
    private var entries: Int
    private var step = WindowClimber.firstStep
    private var previousRate = 0.0
    private var windowHits = 0
    private var mainHits = 0
    private var requests = 0

    init(entries: Int) {
        self.entries = max(entries, 1)
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

    /// Moves the share when a sample is complete.
    /// - Returns: whether it was.
    mutating func step(windowWeight: Int, mainWeight: Int) -> Bool {
        guard requests >= sample else { return false }
        if entries <= WindowClimber.reactiveLimit {
            climbByRate()
        } else {
            climbByDensity(windowWeight, mainWeight)
        }
        windowHits = 0
        mainHits = 0
        requests = 0
        return true
    }

    private var sample: Int {
        if entries <= WindowClimber.smallLimit { return entries * 20 }
        return entries * (entries <= WindowClimber.reactiveLimit ? 10 : 4)
    }

    private mutating func climbByRate() {
        let rate = Double(windowHits + mainHits) / Double(requests)
        let change = rate - previousRate
        previousRate = rate
        if change < 0 { step = -step }
        move(by: step, smallest: 0)
        if abs(change) >= WindowClimber.jump {
            step = step < 0 ? -WindowClimber.firstStep : WindowClimber.firstStep
        } else {
            step *= entries <= WindowClimber.smallLimit ? 0.995 : 0.98
        }
    }

    private mutating func climbByDensity(_ windowWeight: Int, _ mainWeight: Int) {
        let window = (Double(windowHits) + 1) / Double(max(windowWeight, 1))
        let main = (Double(mainHits) + 1) / Double(max(mainWeight, 1))
        let error = log(window / main)
        let size = min(0.3, abs(error) * 0.03)
        move(by: error < 0 ? -size : size, smallest: WindowClimber.smallestShareByDensity)
    }

    private mutating func move(by amount: Double, smallest: Double) {
        windowShare = min(max(windowShare + amount, smallest), WindowClimber.largestShare)
    }
}
