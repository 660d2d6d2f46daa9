/// A demangled function name, taken apart: what the person wrote, without what a compiler or a build adds to it.
///
/// Understands the demangled forms of Swift (`swift-demangle`), C++ and Rust (libiberty, LLVM) and C names with the
/// suffixes that GCC and Clang give to clones. A name in no known form stays as it is.
package struct FunctionName: Hashable, Sendable {
    /// The name that is the same after a rebuild: no specialisation, resume point, clone suffix, closure number, private
    /// discriminator, address, or offset.
    package let normalised: String
    /// Made by the compiler to connect two functions (thunk, witness, forwarder): says nothing that they do not.
    package let isGlue: Bool
    /// The Swift module whose source the function is in, where the name tells.
    package let swiftModule: String?

    package init(_ name: String) {
        var rest = Substring(name)
        var glue = false
        var more = true
        while more {
            more = false
            for prefix in Self.transparent where rest.hasPrefix(prefix) {
                rest = rest.dropFirst(prefix.count)
                more = true
            }
            for prefix in Self.glue where rest.hasPrefix(prefix) {
                rest = rest.dropFirst(prefix.count)
                (glue, more) = (true, true)
            }
            if let after = Self.afterSpecialisation(rest) ?? Self.afterResumePoint(rest) {
                rest = after
                more = true
            }
        }
        rest = Self.withoutSuffixes(rest)
        normalised = Self.withoutNumbers(rest)
        isGlue = glue || Self.connecting.contains { rest.hasPrefix($0) }
        swiftModule = Self.module(of: normalised)
    }

    /// Before the name of the same function.
    private static let transparent = ["merged ", "specialized ", "@objc ", "@nonobjc ", "async function pointer to "]
    /// Before the name of the function that is called in the end.
    private static let glue = [
        "partial apply forwarder for ", "partial apply for ", "dispatch thunk of ", "curry thunk of ",
        "vtable thunk for ", "implicit closure ", "non-virtual thunk to ", "virtual thunk to ",
    ]
    private static let connecting = [
        "reabstraction thunk", "thunk for ", "protocol witness for ", "outlined ", "type metadata accessor for ",
        "lazy protocol witness table accessor for ", "value witness for ", "base witness table accessor for ",
        "autodiff ", "back deployment thunk for ", "distributed thunk ", "<deduplicated_symbol>",
    ]

    /// "generic specialization <…> of ", "function signature specialization <…> of " and their like.
    private static func afterSpecialisation(_ name: Substring) -> Substring? {
        let kinds = ["generic ", "function signature ", "partial ", "closure ", "inlined generic function"]
        guard kinds.contains(where: name.hasPrefix),
            let opening = name.firstIndex(of: "<"),
            name[..<opening].contains("specialization") || name.hasPrefix("inlined generic function"),
            !name[..<opening].contains("("), let end = closingAngle(name, from: opening)
        else { return nil }
        let rest = name[end...]
        return rest.hasPrefix(" of ") ? rest.dropFirst(4) : nil
    }

    /// The position after the `>` that ends the brackets begun at `opening`; the arrow `->` is none.
    private static func closingAngle(_ name: Substring, from opening: String.Index) -> String.Index? {
        var depth = 0
        var previous: UInt8 = 0
        for index in name.utf8[opening...].indices {
            let byte = name.utf8[index]
            switch byte {
            case UInt8(ascii: "<"): depth += 1
            case UInt8(ascii: ">") where previous != UInt8(ascii: "-"):
                depth -= 1
                if depth == 0 { return name.utf8.index(after: index) }
            default: break
            }
            previous = byte
        }
        return nil
    }

    /// "(1) await resume partial function for ", "(2) suspend resume partial function for ".
    private static func afterResumePoint(_ name: Substring) -> Substring? {
        guard name.hasPrefix("("), let end = name.firstIndex(of: ")"),
            name[name.index(after: name.startIndex)..<end].allSatisfy(\.isNumber)
        else { return nil }
        let rest = name[name.index(after: end)...]
        for kind in [" await resume partial function for ", " suspend resume partial function for "]
        where rest.hasPrefix(kind) {
            return rest.dropFirst(kind.count)
        }
        return nil
    }
}

// MARK: - What a build adds at the end and in the middle

extension FunctionName {
    private static let cloneMarks: Set<Substring> = [
        "isra", "constprop", "part", "cold", "llvm", "lto_priv", "resume", "destroy", "cleanup", "localalias", "warm",
    ]

    private static func withoutSuffixes(_ name: Substring) -> Substring {
        var name = name
        while name.hasSuffix("]"), let clone = name.range(of: " [clone ") { name = name[..<clone.lowerBound] }
        if let suffix = name.range(of: " with unmangled suffix ") { name = name[..<suffix.lowerBound] }
        if let offset = name.range(of: " + "), name[offset.upperBound...].allSatisfy({ $0.isHexDigit || $0 == "x" }) {
            name = name[..<offset.lowerBound]
        }
        if !name.contains(" "), !name.contains("("), let version = name.firstIndex(of: "@"),
            version != name.startIndex
        {
            name = name[..<version]
        }
        name = withoutCloneMarks(name)
        return withoutRustHash(name)
    }

    /// `parse.isra.0.cold` → `parse`; a Swift name such as `App.part` has no number after the mark and stays.
    private static func withoutCloneMarks(_ name: Substring) -> Substring {
        var name = name
        while let dot = name.lastIndex(of: "."), dot != name.startIndex {
            let last = name[name.index(after: dot)...]
            if last == "cold" || last == "localalias" || last == "warm" {
                guard !name.contains(" ") else { return name }
                name = name[..<dot]
                continue
            }
            guard !last.isEmpty, last.allSatisfy(\.isNumber), let mark = name[..<dot].lastIndex(of: "."),
                mark != name.startIndex, cloneMarks.contains(name[name.index(after: mark)..<dot])
            else { return name }
            name = name[..<mark]
        }
        return name
    }

    private static func withoutRustHash(_ name: Substring) -> Substring {
        guard let hash = name.range(of: "::h", backwards: true) else { return name }
        let digits = name[hash.upperBound...]
        return digits.utf8.count == 16 && digits.allSatisfy(\.isHexDigit) ? name[..<hash.lowerBound] : name
    }

    /// Numbers that count closures, and hexadecimal ones that are addresses or private discriminators.
    private static func withoutNumbers(_ name: Substring) -> String {
        var result: [UInt8] = []
        let bytes = Array(name.utf8)
        result.reserveCapacity(bytes.count)
        var index = 0
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (0x41...0x46).contains(byte & 0xDF) }
        while index < bytes.count {
            let rest = bytes[index...]
            if rest.starts(with: " in _".utf8) {
                let end = rest.dropFirst(5).firstIndex { !isHex($0) } ?? bytes.count
                if end - index - 5 >= 32, end < bytes.count, bytes[end] == UInt8(ascii: ")") {
                    index = end
                    continue
                }
            }
            let marks: [[UInt8]] = [Array("#".utf8), Array("$_".utf8), Array("'lambda".utf8), Array("0x".utf8)]
            guard let mark = marks.first(where: { rest.starts(with: $0) }) else {
                result.append(bytes[index])
                index += 1
                continue
            }
            result += mark
            index += mark.count
            let isAddress = mark.count == 2 && mark[0] == UInt8(ascii: "0")
            let end = bytes[index...].firstIndex { isAddress ? !isHex($0) : !isDigit($0) } ?? bytes.count
            if end > index, mark.count < 3 { result.append(UInt8(ascii: "n")) }
            index = end
        }
        return String(decoding: result, as: UTF8.self)
    }
}

// MARK: - The module

extension FunctionName {
    /// Of a Swift name, the module that its code is written in; nil for C, C++, Rust, and names without one.
    private static func module(of name: String) -> String? {
        guard !name.contains("::") else { return nil }
        var rest = Substring(name)
        // A closure, a local function, or an initial value stands in the function named last.
        if let context = rest.range(of: " in ", backwards: true), !name.contains("(extension in ") {
            rest = rest[context.upperBound...]
        }
        if let marker = rest.range(of: "(extension in ", backwards: true) {
            rest = rest[marker.upperBound...]
            return rest.firstIndex(of: ")").map { String(rest[..<$0]) }
        }
        for word in ["static ", "class ", "one-time initialization function for "]
        where rest.hasPrefix(word) {
            rest = rest.dropFirst(word.count)
        }
        guard let dot = rest.firstIndex(of: "."), dot != rest.startIndex else { return nil }
        let module = rest[..<dot]
        guard module.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }), module.first?.isNumber == false else {
            return nil
        }
        return String(module)
    }
}

extension Substring {
    /// Where a text occurs first, or last; compares bytes, so it is exact and fast for ASCII.
    func range(of text: String, backwards: Bool = false) -> Range<String.Index>? {
        let (bytes, wanted) = (Array(utf8), Array(text.utf8))
        guard !wanted.isEmpty, bytes.count >= wanted.count else { return nil }
        let starts = 0...(bytes.count - wanted.count)
        let matches = { (start: Int) in bytes[start..<start + wanted.count].elementsEqual(wanted) }
        guard let start = backwards ? starts.last(where: matches) : starts.first(where: matches) else { return nil }
        let lower = utf8.index(utf8.startIndex, offsetBy: start)
        return lower..<utf8.index(lower, offsetBy: wanted.count)
    }
}
