/// A bounded cache that holds what was found in a heap.
package struct HoldingCache: Hashable, Sendable, Codable {
    /// As it stands in metrics.
    package var name: String
    /// What it holds in all, as it published it last; nil when it does not.
    package var heldBytes: Int64?
    /// What it may hold; nil when it is not bounded by bytes.
    package var boundBytes: Int64?

    package init(name: String, heldBytes: Int64? = nil, boundBytes: Int64? = nil) {
        self.name = name
        self.heldBytes = heldBytes
        self.boundBytes = boundBytes
    }

    /// "held by cache `profiles`, 63 % of its 256.0 MiB"; less where less is known.
    package var words: String {
        let text = "held by cache `\(name)`"
        guard let boundBytes, boundBytes > 0 else { return text }
        guard let heldBytes else { return "\(text), which may hold \(ByteCount(boundBytes))" }
        let share = Int((100 * Double(heldBytes) / Double(boundBytes)).rounded())
        return "\(text), \(share) % of its \(ByteCount(boundBytes))"
    }

    private enum CodingKeys: String, CodingKey {
        case name
        case heldBytes = "held_bytes"
        case boundBytes = "bound_bytes"
    }
}
