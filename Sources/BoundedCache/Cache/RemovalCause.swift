/// Why an entry left the cache.
public enum RemovalCause: String, Sendable, CaseIterable {
    /// Its room was needed: the policy chose it.
    case evicted
    /// Its time was over.
    case expired
    /// Another value came for its key.
    case replaced
    /// It was invalidated: alone, by tag, by predicate, or with all others.
    case invalidated
    /// Too many keys had its hash: keys with a bad `hash(into:)`.
    case collision
}

/// An entry that left, as the listener sees it.
public struct CacheRemoval<Key, Value> {
    /// Of the entry that left.
    public let key: Key
    /// Nil for the remembered absence of a value.
    public let value: Value?
    /// Why it left.
    public let cause: RemovalCause

    @usableFromInline
    init(key: Key, value: Value?, cause: RemovalCause) {
        self.key = key
        self.value = value
        self.cause = cause
    }
}

extension CacheRemoval: Sendable where Key: Sendable, Value: Sendable {}

/// How many entries left, by cause.
public struct RemovalCounts: Sendable, Equatable {
    /// Room was needed.
    public var evicted: UInt64 = 0
    /// Their time was over.
    public var expired: UInt64 = 0
    /// Another value came.
    public var replaced: UInt64 = 0
    /// Invalidated.
    public var invalidated: UInt64 = 0
    /// Too many keys with one hash.
    public var collision: UInt64 = 0

    /// All of them.
    public var total: UInt64 { evicted + expired + replaced + invalidated + collision }

    @usableFromInline
    mutating func count(_ cause: RemovalCause) {
        switch cause {
        case .evicted: evicted &+= 1
        case .expired: expired &+= 1
        case .replaced: replaced &+= 1
        case .invalidated: invalidated &+= 1
        case .collision: collision &+= 1
        }
    }

    static func += (left: inout RemovalCounts, right: RemovalCounts) {
        left.evicted += right.evicted
        left.expired += right.expired
        left.replaced += right.replaced
        left.invalidated += right.invalidated
        left.collision += right.collision
    }
}
