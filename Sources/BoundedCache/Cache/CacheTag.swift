/// A label of entries, by which they can be invalidated together.
public struct CacheTag: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The label's text.
    public let name: String

    /// Tags with the same name are the same tag.
    public init(_ name: String) { self.name = name }

    /// A tag from a literal.
    public init(stringLiteral value: String) { name = value }
}
