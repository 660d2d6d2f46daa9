/// Turns stacks of addresses into named frames; each distinct frame is looked at once.
struct StackNaming {
    private let frames: [UInt64: [Frame]]
    private let rules: FrameRules
    /// By rising lowest address.
    private let modules: [LoadedModule]
    private var named: [Frame: NamedFrame] = [:]

    init(image: HeapImage, frames: [UInt64: [Frame]], rules: FrameRules) {
        self.frames = frames
        self.rules = rules
        modules = image.modules.sorted {
            ($0.addresses.lowerBound, $0.loadedNanoseconds) < ($1.addresses.lowerBound, $1.loadedNanoseconds)
        }
    }

    /// Innermost first. An address without symbols becomes "file+0xoffset", one outside of all files "0xaddress".
    mutating func frames(of stack: StackTrace) -> [NamedFrame] {
        var result: [NamedFrame] = []
        for address in stack.addresses {
            let known = (frames[address] ?? []).filter { !$0.function.isEmpty }
            if known.isEmpty {
                result.append(name(offsetFrame(address, seen: stack.firstSeenNanoseconds), isOffset: true))
            } else {
                result += known.map { name($0, isOffset: false) }
            }
        }
        return result
    }

    private mutating func name(_ frame: Frame, isOffset: Bool) -> NamedFrame {
        if let known = named[frame] { return known }
        let fresh = NamedFrame(frame, rules: rules, isOffset: isOffset)
        named[frame] = fresh
        return fresh
    }

    private func offsetFrame(_ address: UInt64, seen: UInt64) -> Frame {
        let place = address &- 1
        guard let module = module(at: place, seen: seen) else {
            return Frame(function: "0x" + String(place, radix: 16))
        }
        let offset = String(place &- module.loadBias, radix: 16)
        return Frame(function: "\(module.name)+0x\(offset)", module: module.path)
    }

    /// The module mapped at an address when the stack was first seen.
    func module(at place: UInt64, seen: UInt64) -> LoadedModule? {
        var (low, high) = (0, modules.count)
        while low < high {
            let middle = (low + high) / 2
            if modules[middle].addresses.lowerBound <= place { low = middle + 1 } else { high = middle }
        }
        // Modules follow each other at one place only when a library was unloaded: a few steps back are enough.
        let candidates = modules[max(0, low - 8)..<low].reversed().filter { $0.addresses.contains(place) }
        return candidates.first { module in
            module.loadedNanoseconds <= seen && module.unloadedNanoseconds.map { $0 > seen } ?? true
        } ?? candidates.first
    }
}
