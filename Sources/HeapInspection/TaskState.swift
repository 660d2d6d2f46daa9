/// What a task's own memory tells about it (Task.h and TaskPrivate.h of the Swift runtime, layout version 1).
struct TaskState {
    var id: UInt32?
    /// It has returned; what is left is its result.
    var isFinished: Bool
    /// Where it goes on when it is resumed, and where its callers go on then, innermost first.
    var calls: [UInt64]
    static let callLimit = 32

    init(_ task: UInt64, _ memory: CheckedMemory, _ modules: ModuleMap) {
        id = memory.word32(at: task &+ 36)
        let status = memory.word(at: task &+ 96) ?? 0
        // Bits 0 to 7 are the priority: without one this is not the status.
        isFinished = status & 0xFF > 0 && status & 0x2000 != 0
        calls = []
        func add(_ place: UInt64?) -> Bool {
            guard let place, let module = modules.module(of: place), module.code.contains(where: { $0.contains(place) })
            else { return false }
            calls.append(place)
            return true
        }
        guard !isFinished, add(memory.word(at: task &+ 56)), var context = memory.word(at: task &+ 64) else { return }
        for _ in 0..<Self.callLimit {
            // An asynchronous context begins with its parent's and the function that the parent goes on with.
            guard context % 8 == 0, add(memory.word(at: context &+ 8)), let parent = memory.word(at: context),
                parent != context
            else { return }
            context = parent
        }
    }
}
