/// What an object is called by the program it lives in, and how much it may hold.
package struct ObjectName: Hashable, Sendable, Codable {
    /// What kind of thing it is, in the words of reports: "cache".
    package var noun: String
    package var name: String
    /// The bytes it may hold, when it is bounded by bytes.
    package var boundBytes: Int64?

    package init(noun: String, name: String, boundBytes: Int64? = nil) {
        self.noun = noun
        self.name = name
        self.boundBytes = boundBytes
    }
}

/// Reads the names of objects that are made to be known by one.
///
/// A property may hold anything, users' data too: so names are read of the types below alone, whose names stand in metrics
/// anyway. A type is known by its module and its own name, the properties by theirs; what does not agree has no name.
struct ObjectNames {
    private struct Kind {
        var module: String
        var type: String
        var noun: String
        /// From the object to a `String` in its last.
        var name: [String]
        /// From the object to a word in its last.
        var bound: [String]
    }

    private static let kinds = [
        Kind(
            module: "BoundedCache", type: "BoundedCache", noun: "cache", name: ["name"],
            bound: ["bounds", "bytes", "bound"])
    ]
    /// Longer ones are cut.
    private static let lengthLimit = 120
    /// More than any machine has.
    private static let boundLimit: UInt64 = 1 << 50

    let types: HeapTypes
    let fields: FieldNames
    private var memory: CheckedMemory { types.memory }

    init(_ types: HeapTypes, _ fields: FieldNames) {
        self.types = types
        self.fields = fields
    }

    func name(of block: HolderGraph.Block) -> ObjectName? {
        guard block.kind == .object, let metadata = block.lineage.first, let kind = kind(ofClass: metadata),
            let place = self.place(kind.name, from: block.start, block.lineage), let name = string(at: place)
        else { return nil }
        let bound = self.place(kind.bound, from: block.start, block.lineage)
            .flatMap { memory.word(at: $0) }
            .flatMap { $0 > 0 && $0 < Self.boundLimit ? Int64($0) : nil }
        return ObjectName(noun: kind.noun, name: name, boundBytes: bound)
    }

    private func kind(ofClass metadata: UInt64) -> Kind? {
        guard let descriptor = memory.word(at: metadata &+ 40), let type = types.names.name(ofDescriptor: descriptor),
            let kind = Self.kinds.first(where: { $0.type == type }),
            let parent = memory.relativeIndirectable(at: descriptor &+ 4), let flags = memory.word32(at: parent),
            flags & 0x1F == 0, types.names.text(relativeAt: parent &+ 8) == kind.module
        else { return nil }
        return kind
    }

    /// Where the last of some properties stands: each but the last is a reference to the object with the next.
    private func place(_ path: [String], from object: UInt64, _ lineage: [UInt64]) -> UInt64? {
        var object = object
        var lineage = lineage
        for (index, property) in path.enumerated() {
            guard let field = fields.field(of: lineage, named: property) else { return nil }
            let place = object &+ field.offset
            if index == path.count - 1 { return place }
            guard let next = memory.word(at: place), let type = types.object(at: next), type.kind == .object else {
                return nil
            }
            object = next
            lineage = type.metadata
        }
        return nil
    }

    /// A Swift string (StringObject.swift of the standard library): up to 15 bytes in place, told by bit 61 of the second
    /// word, else 32 bytes behind the address there, for literals too, as bit 60 of the first word tells.
    private func string(at place: UInt64) -> String? {
        guard let first = memory.word(at: place), let second = memory.word(at: place &+ 8) else { return nil }
        let bytes: [UInt8]?
        if second >> 61 & 1 == 1, second >> 63 == 1 {
            let count = Int(second >> 56 & 0xF)
            bytes = memory.bytes(at: place, count: count)
        } else {
            let count = first & 0xFFFF_FFFF_FFFF
            guard first >> 60 & 1 == 1, count > 0 else { return nil }
            bytes = memory.bytes(
                at: (second & 0x0FFF_FFFF_FFFF_FFFF) &+ 32, count: Int(min(count, UInt64(Self.lengthLimit) * 4)))
        }
        guard let bytes, !bytes.isEmpty else { return nil }
        // What was cut may end within a character: that is repaired, and cut off with the rest.
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else { return nil }
        return text.count > Self.lengthLimit ? text.prefix(Self.lengthLimit - 1) + "…" : text
    }
}
