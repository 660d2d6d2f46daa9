import HeapProfile

/// Plain names of globals, out of demangled symbols.
enum GlobalName {
    /// "static main.Cache.shared : main.Cache" → "static Cache.shared".
    static func plain(_ demangled: String) -> String {
        var text = demangled[...]
        if let lead = text.range(of: "one-time initialization function for ") { text = text[lead.upperBound...] }
        if let colon = text.range(of: " : ") { text = text[..<colon.lowerBound] }
        for prefix in ["static ", "global "] where text.hasPrefix(prefix) {
            return prefix == "static "
                ? "static " + withoutModule(text.dropFirst(prefix.count)) : withoutModule(text.dropFirst(prefix.count))
        }
        return withoutModule(text)
    }

    /// Cuts "Module." in front, but leaves C++ names and plain symbols alone.
    private static func withoutModule(_ name: Substring) -> String {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !name.contains("::"), !parts[0].isEmpty, !parts[1].isEmpty,
            parts[0].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
        else { return String(name) }
        return String(parts[1])
    }
}

extension Substring {
    /// The first place of a text; nil when it is not there. (Foundation's, without Foundation.)
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}

/// Plain names of functions, out of demangled symbols.
enum FunctionWords {
    /// "(2) suspend resume partial function for leaks.poll(_: Swift.Int) async -> ()" → "poll"; nil for the runtime's
    /// functions, thunks, and what has no name.
    static func asynchronous(_ demangled: String) -> String? {
        guard !FunctionName(demangled).isGlue else { return nil }
        var text = demangled[...]
        for lead in ["resume partial function for ", "async function pointer to "] {
            if let range = text.range(of: lead) { text = text[range.upperBound...] }
        }
        guard text.contains("("), !text.contains("+0x"), !text.contains("(extension in Swift)"),
            !text.contains("thunk for "), !text.contains("specialization <")
        else { return nil }
        var isClosure = false
        while text.hasPrefix("closure #") || text.hasPrefix("implicit closure #"), let range = text.range(of: " in ") {
            text = text[range.upperBound...]
            isClosure = true
        }
        let modifiers = text.hasPrefix("static ") ? "static " : ""
        text = text.dropFirst(modifiers.count)
        guard !text.hasPrefix("Swift."), !text.contains("_adapter(") else { return nil }
        let name = PlainNames.withoutModules(String(text.prefix { $0 != "(" && $0 != "@" && $0 != "<" }))
        return (isClosure ? "a closure in " : "") + modifiers + name
    }
}
