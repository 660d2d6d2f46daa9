/// Objects that are expected to go away, by weak references: those that a value is made of, and those that were made
/// together with them.
struct WatchedObjects {
    struct Watched {
        weak var object: AnyObject?
        /// "session.cache", from the value that was returned.
        let path: String
        let type: String
        /// Nil when it is not known.
        let bytes: UInt64?
    }

    /// Objects that are watched; further ones are left out.
    static let limit = 10_000
    private(set) var watched: [Watched] = []

    /// Follows stored properties, elements and payloads. An object that the value does not hold directly is watched only
    /// when it was allocated under the account: others were there before, and may stay.
    /// - Parameter blocks: what was allocated while the value was made, with sizes.
    init(_ value: Any, made blocks: [HiddenAddress: UInt64]) {
        var seen: Set<HiddenAddress> = []
        var open: [(value: Any, path: String, isDirect: Bool)] = [(value, "", true)]
        // Values between objects are no objects, so they are bounded by their own count.
        var visits = 0
        while let (value, path, isDirect) = open.popLast(), watched.count < Self.limit, visits < Self.limit * 10 {
            visits += 1
            let isObject = type(of: value) is AnyObject.Type
            if isObject {
                let object = value as AnyObject
                let address = HiddenAddress(of: object)
                let bytes = blocks[address]
                // One that was there before may still be met again as what the value holds directly.
                guard isDirect || bytes != nil, seen.insert(address).inserted else { continue }
                watched.append(
                    Watched(object: object, path: path, type: Self.name(of: type(of: value)), bytes: bytes))
            }
            open += Self.children(of: value).map { label, child in
                (child, Self.joined(path, label), isDirect && !isObject)
            }
        }
    }

    /// Of superclasses too. Properties without labels are elements and payloads.
    private static func children(of value: Any) -> [(String?, Any)] {
        var mirror: Mirror? = Mirror(reflecting: value)
        var result: [(String?, Any)] = []
        while let current = mirror {
            // The standard library's collections show their elements, and text has none that matter.
            result += current.children.prefix(limit).map { ($0.label, $0.value) }
            mirror = current.superclassMirror
        }
        return result
    }

    private static func joined(_ path: String, _ label: String?) -> String {
        guard let label, label != "some" else { return path }
        return path.isEmpty ? label : "\(path).\(label)"
    }

    /// Without the addresses that stand for files and functions: "(unknown context at $…)".
    private static func name(of type: Any.Type) -> String {
        String(reflecting: type).split(separator: ".").filter { !$0.hasPrefix("(unknown context at ") }
            .joined(separator: ".")
    }

    /// Those that are still there.
    var alive: [Watched] { watched.filter { $0.object != nil } }

    var isAllGone: Bool { watched.allSatisfy { $0.object == nil } }
}
