import BoundedCache
import Glibc

// A program with two named caches that fill; tests look into it from outside. Says "ready" and waits to be killed.

/// What a careful service keeps of a profile.
struct CachedProfile: Sendable, MemorySized {
    var picture: [UInt8]
    var heapBytes: Int { picture.heapBytes }
}

/// As a service holds its caches.
final class Stores: Sendable {
    /// A name of at most fifteen bytes lies within the object.
    let profiles = BoundedCache<String, CachedProfile>(CacheSettings(name: "profiles", bound: .bytes(8 << 20)))
    /// A longer one has storage of its own, unless it is a literal.
    let sessions: BoundedCache<UInt64, [UInt8]>
    /// Without a bound in bytes.
    let pages: BoundedCache<Int, [UInt8]>

    static let shared = Stores(instance: CommandLine.arguments.count)

    init(instance: Int) {
        sessions = BoundedCache(CacheSettings(name: "sessions of instance \(instance)", bound: .bytes(4 << 20)))
        pages = BoundedCache(CacheSettings(name: "pages, named by a long literal", bound: .entries(2_000)))
    }
}

@inline(never) func keepProfile(_ number: Int) {
    Stores.shared.profiles.insert(
        CachedProfile(picture: [UInt8](repeating: 1, count: 3_000)), for: "profile number \(number) of this run")
}

@inline(never) func keepSession(_ number: Int) {
    Stores.shared.sessions.insert([UInt8](repeating: 2, count: 2_000), for: UInt64(number))
}

@inline(never) func keepPage(_ number: Int) {
    Stores.shared.pages.insert([UInt8](repeating: 3, count: 1_000), for: number)
}

for number in 0..<500 {
    keepProfile(number)
    keepSession(number)
    keepPage(number)
}
print("ready")
fflush(nil)
while true { pause() }
