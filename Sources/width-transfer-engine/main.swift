import ArgumentParser
import Commands

// The launcher has found LibTorch; the commands are the same, and those that work with tensors are carried out here.
WidthTransferCommand.main { command in
  guard let work = command as? any EngineWork else { return try command.run() }
  try work.requireOneProcess()
  try work.perform()
}
