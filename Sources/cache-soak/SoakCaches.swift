import BoundedCache

/// The two caches under load: every feature is used on one of them at least.
struct SoakCaches: Sendable {
    static let texts = 12 << 20
    static let numbers = 4 << 20

    /// By bytes, with time, tags, loads, a listener.
    let texts: BoundedCache<String, [UInt8]>
    /// By bytes, with the policy that remembers most.
    let numbers: BoundedCache<UInt64, String>
    let heard = SoakCount()

    init() {
        var settings = CacheSettings(name: "texts", bound: .bytes(SoakCaches.texts))
        settings.times = CacheTimes(
            timeToLive: .seconds(3), idleTime: .seconds(2), refreshAfter: .milliseconds(700),
            staleOnError: .milliseconds(200), negativeTimeToLive: .milliseconds(50))
        let heard = heard
        texts = BoundedCache(settings, onRemoval: { _ in heard.add() })
        var adaptive = CacheSettings(name: "numbers", bound: .bytes(SoakCaches.numbers))
        adaptive.policy = .adaptive
        numbers = BoundedCache(adaptive)
    }

    var heldBytes: Int { texts.heldBytes + numbers.heldBytes }

    func resize(percent: Int) {
        texts.resize(to: .bytes(SoakCaches.texts / 100 * percent))
        numbers.resize(to: .bytes(SoakCaches.numbers / 100 * percent))
    }
}
