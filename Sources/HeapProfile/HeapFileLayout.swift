/// The sampler's file, version 1, as docs/heap-format.md and `heap_sampler_format.h` give it: offsets in bytes.
enum HeapFileLayout {
    static let magic: UInt64 = 0x3150_4145_484B_414F
    static let version: UInt32 = 1
    static let headerBytes = 4096
    static let frameLimit = 64
    static let buildIDLimit = 20

    enum Header {
        static let version = 8
        static let headerBytes = 12
        static let fileBytes = 16
        static let state = 24
        static let stopReason = 28
        static let mode = 32
        static let flags = 36
        static let meanBytes = 40
        static let pid = 48
        static let startTicks = 56
        static let samplingSince = 72
        static let bytesInUse = 80
        static let bytesInUseError = 88
        static let modules = 96
        static let stacks = 128
        static let frames = 160
        static let lifetimes = 192
        static let records = 224
        static let counters = 256
        static let samplerVersion = 384..<416
        static let executable = 416..<1440
    }

    enum Module {
        static let size = 512
        static let unloaded = 8
        static let loaded = 16
        static let bias = 24
        static let low = 32
        static let high = 40
        static let buildIDBytes = 48
        static let buildID = 52
        static let path = 72..<512
    }

    enum Stack {
        static let size = 64
        static let hash = 8
        static let firstFrame = 16
        static let frameCount = 24
        static let quality = 28
        static let firstSeen = 32
    }

    enum Lifetimes {
        static let size = 1088
        static let bytes = 8
        static let bucketCounts = 64
        static let bucketWeights = 64 + 8 * 64
    }

    enum Record {
        static let size = 64
        static let check = 8
        static let address = 16
        static let bytes = 24
        static let weight = 32
        static let birth = 40
        static let threadAndStack = 48
    }

    enum Flag {
        static let notCounted: UInt32 = 1
        static let otherAllocator: UInt32 = 2
        static let cxxNewUnseen: UInt32 = 4
        static let forked: UInt32 = 8
    }
}

/// The check word of an entry: guards against tearing and accidents, not against forgers.
struct HeapFileCheck {
    private(set) var sum: UInt64 = 0x4F41_4B55_4D48_4550

    mutating func mix(_ word: UInt64) {
        sum = (sum ^ word) &* 0x9E37_79B9_7F4A_7C15
        sum ^= sum >> 32
    }

    static func of(_ words: some Sequence<UInt64>) -> UInt64 {
        var check = HeapFileCheck()
        for word in words { check.mix(word) }
        return check.sum
    }
}
